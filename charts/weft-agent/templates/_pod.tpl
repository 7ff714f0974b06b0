{{/* The pod of one Deployment: dict root, group. */}}
{{- define "weft-agent.pod" -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
{{- $group := .group -}}
metadata:
  labels:
    {{- include "weft-agent.labels" $root | nindent 4 }}
    {{- if $group.name }}
    weft/group: {{ $group.name | quote }}
    {{- end }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- $annotations := deepCopy $values.podAnnotations }}
  {{- if not $values.enrolment.existingSecret }}
  {{- $_ := set $annotations "checksum/enrolment" (sha256sum $values.enrolment.token) }}
  {{- end }}
  {{- if $values.store.accessKey }}
  {{- $_ := set $annotations "checksum/store" (printf "%s %s" $values.store.accessKey $values.store.secretKey | sha256sum) }}
  {{- end }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "weft-agent.serviceAccount" $root }}
  automountServiceAccountToken: false
  # Else every Service of the namespace becomes variables, some of them WEFT_...
  enableServiceLinks: false
  securityContext:
    {{- toYaml $values.podSecurityContext | nindent 4 }}
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  # The delay, the agent's own limit, and what a kill must never cut short.
  terminationGracePeriodSeconds: {{ add $values.drain.delaySeconds $values.drain.timeoutSeconds 15 }}
  containers:
    - name: agent
      image: "{{ $values.image.repository }}:{{ default $root.Chart.AppVersion $values.image.tag }}"
      imagePullPolicy: {{ $values.image.pullPolicy }}
      {{- with $values.config }}
      args:
        {{- range $name, $value := . }}
        - {{ printf "--%s=%s" $name (ternary (int64 $value | toString) (toString $value) (kindIs "float64" $value)) | quote }}
        {{- end }}
      {{- end }}
      env:
        - name: WEFT_CONTROL_PLANE
          value: {{ $values.controlPlane.url | quote }}
        {{- if $values.controlPlane.caFingerprint }}
        - name: WEFT_CA_FINGERPRINT
          value: {{ $values.controlPlane.caFingerprint | quote }}
        {{- else }}
        - name: WEFT_CA_FINGERPRINT
          valueFrom:
            secretKeyRef:
              name: {{ include "weft-agent.enrolmentSecret" $root }}
              key: ca-fingerprint
        {{- end }}
        - name: WEFT_ENROLMENT_TOKEN
          value: "@/run/secrets/weft-enrolment/enrolment-token"
        - name: WEFT_STORE
          value: {{ $values.store.url | quote }}
        {{- with include "weft-agent.storeSecret" $root }}
        - name: AWS_ACCESS_KEY_ID
          valueFrom:
            secretKeyRef:
              name: {{ . }}
              key: access-key
        - name: AWS_SECRET_ACCESS_KEY
          valueFrom:
            secretKeyRef:
              name: {{ . }}
              key: secret-key
        - name: AWS_SESSION_TOKEN
          valueFrom:
            secretKeyRef:
              name: {{ . }}
              key: session-token
              optional: true
        {{- end }}
        {{- with $values.store.webIdentity.roleArn }}
        - name: AWS_ROLE_ARN
          value: {{ . | quote }}
        - name: AWS_WEB_IDENTITY_TOKEN_FILE
          value: /run/secrets/weft-web-identity/token
        {{- end }}
        - name: WEFT_ZONE
          {{- if or $group.zone $group.advertise }}
          value: {{ $group.zone | quote }}
          {{- else }}
          # The zone of the node, which Kubernetes 1.35 puts on each pod as it is bound
          # to one; before that the label is missing and the zone is empty.
          valueFrom:
            fieldRef:
              fieldPath: metadata.labels['topology.kubernetes.io/zone']
          {{- end }}
        {{- if eq $values.external.type "HostPort" }}
        - name: HOST_IP
          valueFrom:
            fieldRef:
              fieldPath: status.hostIP
        - name: WEFT_ADVERTISE
          value: "$(HOST_IP):{{ $values.external.hostPort }}"
        {{- else if $group.advertise }}
        - name: WEFT_ADVERTISE
          value: {{ $group.advertise | quote }}
        {{- else }}
        - name: POD_IP
          valueFrom:
            fieldRef:
              fieldPath: status.podIP
        {{- end }}
        - name: WEFT_LISTEN
          value: "0.0.0.0:9092"
        - name: WEFT_ADMIN_LISTEN
          value: "0.0.0.0:9093"
        - name: WEFT_DRAIN_TIMEOUT
          value: "{{ $values.drain.timeoutSeconds }}s"
        {{- with $values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - name: kafka
          containerPort: 9092
          {{- if eq $values.external.type "HostPort" }}
          hostPort: {{ $values.external.hostPort }}
          {{- end }}
        - name: admin
          containerPort: 9093
      livenessProbe:
        httpGet:
          path: /healthz
          port: admin
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet:
          path: /readyz
          port: admin
        periodSeconds: 2
        timeoutSeconds: 2
      {{- if and (gt (int $values.drain.delaySeconds) 0) (semverCompare ">=1.30.0-0" $root.Capabilities.KubeVersion.Version) }}
      # SIGTERM drains by itself. Before it, the Services get the time to forget this pod,
      # so that no new client is sent to a listener that is closed. By the kubelet's own
      # action, since the image has no shell to sleep in.
      lifecycle:
        preStop:
          sleep:
            seconds: {{ $values.drain.delaySeconds }}
      {{- end }}
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      volumeMounts:
        - name: enrolment
          mountPath: /run/secrets/weft-enrolment
          readOnly: true
        {{- if $values.store.webIdentity.roleArn }}
        - name: web-identity
          mountPath: /run/secrets/weft-web-identity
          readOnly: true
        {{- end }}
        {{- with $values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: enrolment
      secret:
        secretName: {{ include "weft-agent.enrolmentSecret" $root }}
        defaultMode: 0440
    {{- if $values.store.webIdentity.roleArn }}
    - name: web-identity
      projected:
        sources:
          - serviceAccountToken:
              audience: {{ $values.store.webIdentity.audience | quote }}
              expirationSeconds: 3600
              path: token
    {{- end }}
    {{- with $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- $affinity := deepCopy $values.affinity }}
  {{- if $group.zone }}
  {{- $term := dict "key" "topology.kubernetes.io/zone" "operator" "In" "values" (list $group.zone) }}
  {{- $required := dict "nodeSelectorTerms" (list (dict "matchExpressions" (list $term))) }}
  {{- $affinity = merge (dict "nodeAffinity" (dict "requiredDuringSchedulingIgnoredDuringExecution" $required)) $affinity }}
  {{- end }}
  {{- with $affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if or $values.topologySpread.zone $values.topologySpread.node }}
  topologySpreadConstraints:
    {{- with $values.topologySpread.zone }}
    - maxSkew: 1
      topologyKey: topology.kubernetes.io/zone
      whenUnsatisfiable: {{ . }}
      labelSelector:
        matchLabels:
          {{- include "weft-agent.selector" $root | nindent 10 }}
    {{- end }}
    {{- with $values.topologySpread.node }}
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: {{ . }}
      labelSelector:
        matchLabels:
          {{- include "weft-agent.selector" $root | nindent 10 }}
    {{- end }}
  {{- end }}
{{- end -}}
