{{/* Names, labels, addresses, and what must go together. */}}

{{- define "weft-controlplane.fullname" -}}
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

{{- define "weft-controlplane.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controlplane
{{- end -}}

{{- define "weft-controlplane.commonLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: weft
app.kubernetes.io/version: {{ default .Chart.AppVersion .Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "weft-controlplane.labels" -}}
{{ include "weft-controlplane.commonLabels" . }}
app.kubernetes.io/component: controlplane
{{- end -}}

{{- define "weft-controlplane.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "weft-controlplane.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "weft-controlplane.secret" -}}
{{- default (printf "%s-cell" (include "weft-controlplane.fullname" .)) .Values.secrets.existingSecret -}}
{{- end -}}

{{/* The headless Service, by which each pod has a name that stays. */}}
{{- define "weft-controlplane.peers" -}}
{{- printf "%s-peers" (include "weft-controlplane.fullname" .) -}}
{{- end -}}

{{/* What follows a pod's name in its DNS name. */}}
{{- define "weft-controlplane.podDomain" -}}
{{- printf "%s.%s.svc.%s" (include "weft-controlplane.peers" .) .Release.Namespace .Values.clusterDomain -}}
{{- end -}}

{{/*
The first three nodes' addresses for people, inside of the cluster: whoever joins finds the
cell by them, and a change of `replicas` changes nothing of the pods that there are.
*/}}
{{- define "weft-controlplane.join" -}}
{{- $urls := list -}}
{{- range $i := until 3 -}}
{{- $urls = append $urls (printf "https://%s-%d.%s:7800" (include "weft-controlplane.fullname" $) $i (include "weft-controlplane.podDomain" $)) -}}
{{- end -}}
{{- join "," $urls -}}
{{- end -}}

{{/* The names that the certificates have beside those of the pod. */}}
{{- define "weft-controlplane.tlsNames" -}}
{{- $names := list -}}
{{- range $service := list (include "weft-controlplane.fullname" .) (printf "%s-agents" (include "weft-controlplane.fullname" .)) -}}
{{- $names = concat $names (list $service (printf "%s.%s" $service $.Release.Namespace) (printf "%s.%s.svc" $service $.Release.Namespace) (printf "%s.%s.svc.%s" $service $.Release.Namespace $.Values.clusterDomain)) -}}
{{- end -}}
{{- with .Values.external.domain -}}
{{- $names = append $names . -}}
{{- end -}}
{{- join "," (concat $names .Values.tlsNames) -}}
{{- end -}}

{{- define "weft-controlplane.check" -}}
{{- if and .Values.secrets.existingSecret (or .Values.secrets.cellKey .Values.secrets.adminToken) -}}
{{- fail "secrets.existingSecret excludes secrets.cellKey and secrets.adminToken: the Secret that is there holds both, as cell-key and admin-token." -}}
{{- end -}}
{{- if ne (empty .Values.secrets.cellKey) (empty .Values.secrets.adminToken) -}}
{{- fail "secrets.cellKey and secrets.adminToken are given together, or neither of them: then both are made." -}}
{{- end -}}
{{- if .Values.backup.cronJob.enabled -}}
{{- if not .Values.backup.cronJob.to -}}
{{- fail "backup.cronJob.to is missing: say where the backups go, as s3://BUCKET/PREFIX/{name}.weft?region=REGION." -}}
{{- end -}}
{{- if not (contains "{name}" .Values.backup.cronJob.to) -}}
{{- fail "backup.cronJob.to has no {name}: it stands for the name of the backup, without which the second would find the first in its place." -}}
{{- end -}}
{{- if not .Values.caFingerprint -}}
{{- fail "caFingerprint is missing: the CronJob knows the cell by it, and the log of the first pod says it (ca_fingerprint=), so install without backup.cronJob first." -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "weft-controlplane.podSettings" -}}
# Else every Service of the namespace becomes variables, some of them WEFT_...
enableServiceLinks: false
automountServiceAccountToken: false
serviceAccountName: {{ include "weft-controlplane.serviceAccount" . }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "weft-controlplane.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* A pod of `weft`: it logs in with the first operator's token, then does ARGS. */}}
{{- define "weft-controlplane.cliPod" -}}
{{- $root := .root -}}
{{- $image := printf "%s:%s" $root.Values.cliImage.repository (default $root.Chart.AppVersion $root.Values.cliImage.tag) -}}
restartPolicy: Never
{{ include "weft-controlplane.podSettings" $root }}
initContainers:
  - name: login
    image: {{ $image | quote }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    args:
      - login
      - {{ include "weft-controlplane.join" $root | quote }}
      - "--ca-fingerprint={{ $root.Values.caFingerprint }}"
      - "--token=@/run/secrets/weft/admin-token"
    env:
      - name: WEFT_CONFIG
        value: /scratch/config.json
    securityContext:
      {{- include "weft-controlplane.containerSecurity" $root | nindent 6 }}
    volumeMounts:
      - name: work
        mountPath: /scratch
      - name: secret
        mountPath: /run/secrets/weft
        readOnly: true
containers:
  - name: weft
    image: {{ $image | quote }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    args:
      {{- toYaml .args | nindent 6 }}
    env:
      - name: WEFT_CONFIG
        value: /scratch/config.json
      - name: TMPDIR
        value: /scratch
      - name: POD_NAME
        valueFrom:
          fieldRef:
            fieldPath: metadata.name
      {{- with .env }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    securityContext:
      {{- include "weft-controlplane.containerSecurity" $root | nindent 6 }}
    volumeMounts:
      - name: work
        mountPath: /scratch
volumes:
  - name: work
    emptyDir: {}
  - name: secret
    secret:
      secretName: {{ include "weft-controlplane.secret" $root }}
      defaultMode: 0440
      items:
        - key: admin-token
          path: admin-token
{{- end -}}
