{{/*
What the operator reads from files: it never asks the API for a Secret.  A Secret or a key that is missing keeps the
pod from starting, and an Event of the pod names it.
*/}}
{{- define "periodicbuild.sources" -}}
{{- with .Values.mail }}
{{- if and .smtpHost .existingSecret }}
- {volume: smtp, kind: secret, name: {{ .existingSecret }}, items: {username: {{ .usernameKey | quote }}, password: {{ .passwordKey | quote }}}}
{{- end }}
{{- if and .smtpHost .caConfigMap }}
- {volume: smtp-ca, kind: configMap, name: {{ .caConfigMap }}, items: {ca.crt: {{ .caKey | quote }}}}
{{- end }}
{{- end }}
{{- with .Values.webhook }}
{{- if .existingSecret }}
- {volume: webhook, kind: secret, name: {{ .existingSecret }}, items: {url: {{ .urlKey | quote }}{{ with .signingKeyKey }}, key: {{ . | quote }}{{ end }}}}
{{- end }}
{{- if .caConfigMap }}
- {volume: webhook-ca, kind: configMap, name: {{ .caConfigMap }}, items: {ca.crt: {{ .caKey | quote }}}}
{{- end }}
{{- end }}
{{- with .Values.sources }}
{{- if .existingSecret }}
- {volume: sources, kind: secret, name: {{ .existingSecret }}}
{{- end }}
{{- if .caConfigMap }}
- {volume: sources-ca, kind: configMap, name: {{ .caConfigMap }}, items: {ca.crt: {{ .caKey | quote }}}}
{{- end }}
{{- end }}
{{- with .Values.slack }}
{{- if .existingSecret }}
- {volume: slack, kind: secret, name: {{ .existingSecret }}, items: {url: {{ .urlKey | quote }}}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "periodicbuild.mounts" -}}
{{- range include "periodicbuild.sources" . | fromYamlArray -}}
- {name: {{ .volume }}, mountPath: /etc/periodicbuild/{{ .volume }}, readOnly: true}
{{ end -}}
- {name: tmp, mountPath: /tmp}
{{- end -}}

{{- define "periodicbuild.volumes" -}}
{{- range include "periodicbuild.sources" . | fromYamlArray -}}
- name: {{ .volume }}
  {{ .kind }}:
    {{ if eq .kind "secret" }}secretName{{ else }}name{{ end }}: {{ .name }}
    {{- with .items }}
    items:
    {{- range $file, $key := . }}
    - {key: {{ $key | quote }}, path: {{ $file }}}
    {{- end }}
    {{- end }}
{{ end -}}
- name: tmp
  emptyDir: {sizeLimit: 16Mi}
{{- end -}}
