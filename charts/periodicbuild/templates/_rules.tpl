{{/*
What the operator may do, and nothing else: no Secrets, no exec, no writes to what people own.
One list, for a ClusterRole or for a Role in each namespace.
*/}}
{{- define "periodicbuild.rules" -}}
- apiGroups: [periodicbuild.dev]
  resources: [periodicbuilds]
  verbs: [list, watch]
- apiGroups: [periodicbuild.dev]
  resources: [periodicbuilds/status, appservers/status]
  verbs: [patch]
- apiGroups: [periodicbuild.dev]
  resources: [appservers]
  verbs: [get, list, watch, create, patch, delete]   # patch: completing one that was made by hand
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, delete]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]                                        # the last lines of a build that failed, before its pod goes
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]                                        # is it being deleted, before a lost pod is charged
- apiGroups: [""]
  resources: [services]
  verbs: [get, patch]                                 # pointing one that has agreed at the newest good server
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}
{{/*
Gates are objects of the whole cluster: no Role can let anybody see one, and an operator of some namespaces does without.
*/}}
{{- define "periodicbuild.gate-rules" -}}
- apiGroups: [periodicbuild.dev]
  resources: [buildgates]
  verbs: [list, watch]
- apiGroups: [periodicbuild.dev]
  resources: [buildgates/status]
  verbs: [patch]
{{- end -}}
