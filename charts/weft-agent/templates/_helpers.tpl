{{/* Names and labels, what must be given, and the Deployments that there are. */}}

{{- define "weft-agent.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "weft-agent.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "weft-agent.labels" -}}
{{ include "weft-agent.selector" . }}
app.kubernetes.io/component: agent
app.kubernetes.io/part-of: weft
app.kubernetes.io/version: {{ default .Chart.AppVersion .Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "weft-agent.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "weft-agent.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "weft-agent.enrolmentSecret" -}}
{{- default (printf "%s-enrolment" (include "weft-agent.fullname" .)) .Values.enrolment.existingSecret -}}
{{- end -}}

{{- define "weft-agent.storeSecret" -}}
{{- if .Values.store.existingSecret -}}
{{- .Values.store.existingSecret -}}
{{- else if .Values.store.accessKey -}}
{{- printf "%s-store" (include "weft-agent.fullname" .) -}}
{{- end -}}
{{- end -}}

{{/* One sentence for each thing that is missing, or does not go together. */}}
{{- define "weft-agent.check" -}}
{{- if not .Values.controlPlane.url -}}
{{- fail "controlPlane.url is missing: give the control plane's address for people, as https://HOST:7800, or those of several nodes with commas between." -}}
{{- end -}}
{{- if not .Values.store.url -}}
{{- fail "store.url is missing: give the object store, as s3://BUCKET/PREFIX?region=REGION." -}}
{{- end -}}
{{- if and (not .Values.enrolment.existingSecret) (not .Values.enrolment.token) -}}
{{- fail "enrolment.existingSecret is missing: give the name of a Secret with the key enrolment-token (and ca-fingerprint), or the token itself as enrolment.token." -}}
{{- end -}}
{{- if and .Values.enrolment.existingSecret .Values.enrolment.token -}}
{{- fail "enrolment.existingSecret and enrolment.token are both given: give one of them." -}}
{{- end -}}
{{- if and (not .Values.enrolment.existingSecret) (not .Values.controlPlane.caFingerprint) -}}
{{- fail "controlPlane.caFingerprint is missing: give the SHA-256 of the control plane's CA, which it writes to ca.fingerprint and logs when it starts." -}}
{{- end -}}
{{- if ne (empty .Values.store.accessKey) (empty .Values.store.secretKey) -}}
{{- fail "store.accessKey and store.secretKey are given together, or neither of them." -}}
{{- end -}}
{{- if gt (add (ternary 1 0 (not (empty .Values.store.existingSecret))) (ternary 1 0 (not (empty .Values.store.accessKey))) (ternary 1 0 (not (empty .Values.store.webIdentity.roleArn)))) 1 -}}
{{- fail "store.existingSecret, store.accessKey and store.webIdentity.roleArn exclude each other: give one of them, or none where the service account brings the credentials." -}}
{{- end -}}
{{- if has .Values.external.type (list "LoadBalancer" "NodePort") -}}
{{- if not .Values.external.addresses -}}
{{- fail (printf "external.addresses is missing: external.type %s makes one agent for each address, so give at least one, as {name: a, host: a.kafka.example.com}." .Values.external.type) -}}
{{- end -}}
{{- if .Values.zones -}}
{{- fail "zones and external.addresses are both given: with addresses, the zone of each agent is said there." -}}
{{- end -}}
{{- if .Values.autoscaling.enabled -}}
{{- fail "autoscaling.enabled does not go with external.addresses: there is one agent for each address." -}}
{{- end -}}
{{- else if .Values.external.addresses -}}
{{- fail "external.addresses wants external.type LoadBalancer or NodePort." -}}
{{- end -}}
{{- end -}}

{{/*
The Deployments: one; or one a zone; or one an external address. A list of
  name       after the release's, or ""
  zone       "" when the pod's own label says it
  replicas   of this Deployment
  advertise  HOST:PORT, or "" for the pod's address
*/}}
{{- define "weft-agent.groups" -}}
{{- $groups := list -}}
{{- if .Values.external.addresses -}}
{{- range .Values.external.addresses -}}
{{- $port := default $.Values.service.port .port -}}
{{- $groups = append $groups (dict "name" .name "zone" (default "" .zone) "replicas" 1 "advertise" (printf "%s:%v" .host $port) "port" $port "nodePort" .nodePort) -}}
{{- end -}}
{{- else if .Values.zones -}}
{{- range .Values.zones -}}
{{- $groups = append $groups (dict "name" . "zone" . "replicas" $.Values.replicas "advertise" "") -}}
{{- end -}}
{{- else -}}
{{- $groups = append $groups (dict "name" "" "zone" "" "replicas" .Values.replicas "advertise" "") -}}
{{- end -}}
{{- toYaml $groups -}}
{{- end -}}

{{- define "weft-agent.groupName" -}}
{{- if .group.name -}}
{{- printf "%s-%s" (include "weft-agent.fullname" .root) .group.name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- include "weft-agent.fullname" .root -}}
{{- end -}}
{{- end -}}

{{- define "weft-agent.groupSelector" -}}
{{ include "weft-agent.selector" .root }}
{{- if .group.name }}
weft/group: {{ .group.name | quote }}
{{- end }}
{{- end -}}
