{{/* What is said more than once. */}}

{{/* Behind the names of a shard's objects. */}}
{{- define "suffix" -}}
{{- with .Values.shard }}-{{ . }}{{ end -}}
{{- end }}

{{- define "labels" -}}
app.kubernetes.io/name: pptp-concentrator
{{- with .Values.shard }}
pptp-concentrator/shard: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "updates" -}}
updateStrategy:
  type: {{ .Values.updateStrategy }}
  {{- if eq .Values.updateStrategy "RollingUpdate" }}
  rollingUpdate:
    maxUnavailable: 1
  {{- end }}
{{- if eq .Values.updateStrategy "RollingUpdate" }}
minReadySeconds: 60
{{- end }}
revisionHistoryLimit: 5
{{- end }}

{{- define "pod" -}}
hostNetwork: true
dnsPolicy: ClusterFirstWithHostNet
priorityClassName: system-node-critical
serviceAccountName: pptp-concentrator{{ include "suffix" . }}
enableServiceLinks: false
nodeSelector:
  pptp-concentrator/access: "true"
  {{- with .Values.shard }}
  pptp-concentrator/shard: {{ . | quote }}
  {{- end }}
tolerations:
  - key: pptp-concentrator/access
    operator: Exists
{{- end }}

{{- define "no capability" -}}
privileged: false
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: ["ALL"]
{{- end }}

{{/* A directory of the host: name and path. */}}
{{- define "directory" -}}
- name: {{ .name }}
  hostPath:
    path: {{ .path }}
    type: DirectoryOrCreate
{{- end }}
