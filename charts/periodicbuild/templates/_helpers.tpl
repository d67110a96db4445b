{{/* Name of the release's own objects. */}}
{{- define "periodicbuild.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Name of the service account, and of the Lease. */}}
{{- define "periodicbuild.account" -}}
{{- .Values.serviceAccount.name | default (include "periodicbuild.fullname" .) -}}
{{- end -}}

{{- define "periodicbuild.selector" -}}
app.kubernetes.io/name: periodicbuild
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "periodicbuild.labels" -}}
{{ include "periodicbuild.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "periodicbuild.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* "true" if a found object is absent, or this release's; call with (list . object). */}}
{{- define "periodicbuild.is-ours" -}}
{{- $release := (index . 0).Release -}}
{{- $found := index . 1 -}}
{{- $by := ($found.metadata | default dict).annotations | default dict -}}
{{- if or (not $found) (and (eq (get $by "meta.helm.sh/release-name") $release.Name) (eq (get $by "meta.helm.sh/release-namespace") $release.Namespace)) -}}
true
{{- end -}}
{{- end -}}
