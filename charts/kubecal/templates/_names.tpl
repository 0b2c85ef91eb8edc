{{- define "kubecal.labels" -}}
app.kubernetes.io/name: kubecal
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "kubecal.selector" -}}
app.kubernetes.io/name: kubecal
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "kubecal.operator" -}}
{{- printf "%s-operator" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Cluster-wide names carry the namespace: two releases of one name in two namespaces are two installations. */}}
{{- define "kubecal.clusterName" -}}
{{- printf "%s-%s-operator" .Release.Namespace .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "kubecal.namespaces" -}}
{{- if .Values.namespaces }}{{ .Values.namespaces | sortAlpha | toJson }}{{ else }}{{ list .Release.Namespace | toJson }}{{ end }}
{{- end }}

{{- define "kubecal.secret" -}}
{{- .Values.mongodb.existingSecret | default (printf "%s-mongodb" .Release.Name) }}
{{- end }}

{{- define "kubecal.image" -}}
{{- $image := index . 0 }}{{ $root := index . 1 -}}
{{ $image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end }}

{{- define "kubecal.catalogue" -}}
{{- .Values.tasks.catalogue | default (.Files.Get "files/catalogue.json") }}
{{- end }}

{{- define "kubecal.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "kubecal.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "kubecal.mongodbEnvironment" -}}
- {name: KUBECAL_MONGODB_URI_FILE, value: /etc/kubecal/mongodb/uri}
{{- end }}

{{- define "kubecal.mongodbMount" -}}
- {name: mongodb, mountPath: /etc/kubecal/mongodb, readOnly: true}
{{- end }}

{{- define "kubecal.mongodbVolume" -}}
- name: mongodb
  # Optional: a missing Secret is reported in every session's conditions and in logs, not as a pod that hangs.
  secret: {secretName: {{ include "kubecal.secret" . }}, defaultMode: 0440, optional: true}
{{- end }}

{{- define "kubecal.operatorEnvironment" -}}
- {name: KUBECAL_NAMESPACES, value: {{ include "kubecal.namespaces" . | fromJsonArray | join "," | quote }}}
- {name: KUBECAL_OPERATOR_NAMESPACE, value: {{ .Release.Namespace | quote }}}
- {name: KUBECAL_LEASE_NAME, value: {{ include "kubecal.operator" . | quote }}}
- {name: KUBECAL_SCOPE, value: {{ printf "%s/%s" .Release.Namespace .Release.Name | quote }}}
- name: KUBECAL_POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- {name: KUBECAL_LOG_LEVEL, value: {{ .Values.operator.logLevel | quote }}}
{{ include "kubecal.mongodbEnvironment" . }}
- {name: KUBECAL_MONGODB_SECRET, value: {{ include "kubecal.secret" . | quote }}}
- {name: KUBECAL_CATALOGUE_FILE, value: /etc/kubecal/catalogue/catalogue.json}
- {name: KUBECAL_TASK_IMAGE, value: {{ include "kubecal.image" (list .Values.tasks.image .) | quote }}}
- {name: KUBECAL_TASK_IMAGE_PULL_POLICY, value: {{ .Values.tasks.image.pullPolicy | quote }}}
- {name: KUBECAL_TASK_IMAGE_PULL_SECRETS, value: {{ range $i, $s := .Values.imagePullSecrets }}{{ if $i }},{{ end }}{{ $s.name }}{{ end }}}
- {name: KUBECAL_SCRATCH_SIZE_LIMIT, value: {{ .Values.tasks.scratchSizeLimit | quote }}}
{{- end }}

{{- define "kubecal.operatorMounts" -}}
{{ include "kubecal.mongodbMount" . }}
- {name: catalogue, mountPath: /etc/kubecal/catalogue, readOnly: true}
- {name: tmp, mountPath: /tmp}
- {name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}

{{- define "kubecal.operatorVolumes" -}}
{{ include "kubecal.mongodbVolume" . }}
- name: catalogue
  configMap: {name: {{ .Release.Name }}-catalogue}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
- name: token
  projected:
    sources:
    - serviceAccountToken: {path: token, expirationSeconds: 3607}
    - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
    - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end }}

{{- define "kubecal.api" -}}
{{- printf "%s-api" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "kubecal.apiSelector" -}}
app.kubernetes.io/name: kubecal
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: api
{{- end }}

{{/* Of the roles for people: kubecal in namespace kubecal is kubecal, so that documents can name them. */}}
{{- define "kubecal.role" -}}
{{- if eq .Release.Namespace .Release.Name }}{{ .Release.Name }}{{ else }}{{ printf "%s-%s" .Release.Namespace .Release.Name }}{{ end }}
{{- end }}

{{- define "kubecal.viewerRules" -}}
- apiGroups: [kubecal.io]
  resources: [chips, calibrationsessions]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods, events]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
# Records and reasons: ours, and no other Service.
- apiGroups: [""]
  resources: [services/proxy]
  resourceNames: ["{{ include "kubecal.api" . }}:http", "{{ include "kubecal.operator" . }}:http"]
  verbs: [get]
{{- end }}

{{/* "true" where the chart's own MongoDB is wanted. */}}
{{- define "kubecal.ownMongodb" -}}
{{- if .Values.mongodb.deploy }}true{{ end }}
{{- end }}

{{- define "kubecal.mongodbName" -}}
{{- printf "%s-mongodb" (.Release.Name | trunc 50 | trimSuffix "-") }}
{{- end }}

{{- define "kubecal.mongodbHost" -}}
{{ include "kubecal.mongodbName" . }}-0.{{ include "kubecal.mongodbName" . }}.{{ .Release.Namespace }}.svc:27017
{{- end }}

{{- define "kubecal.mongodbSelector" -}}
app.kubernetes.io/name: kubecal
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: mongodb
{{- end }}

{{/* The URI that goes into Secrets; empty where the Secret is somebody else's. */}}
{{- define "kubecal.mongodbUri" -}}
{{- if include "kubecal.ownMongodb" . }}mongodb://{{ include "kubecal.mongodbHost" . }}/kubecal?{{ .Values.mongodb.uriOptions }}{{ else }}{{ .Values.mongodb.uri }}{{ end }}
{{- end }}
