{{- /* The pod of a campaign. Its labels do not change with the chart: what differs here is another campaign. */}}
{{- define "tutti.campaign" -}}
{{- $campaign := .Values.campaign }}
{{- $script := $campaign.script -}}
metadata:
  labels: {{- include "tutti.selector" (dict "root" . "component" "campaign") | nindent 4 }}
  annotations:
    cluster-autoscaler.kubernetes.io/safe-to-evict: "false"
    {{- with $script.files }}
    tutti/script: {{ toJson . | sha256sum }}
    {{- end }}
    {{- with $campaign.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "tutti.pod" . | nindent 2 }}
  restartPolicy: Never
  # When the pod is deleted, the campaign is stopped in an orderly way, and its report is printed.
  terminationGracePeriodSeconds: 60
  {{- with include "tutti.placement" $campaign | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- $env := include "tutti.campaignEnv" . }}
  initContainers:
    # A coordinator whose image is still being pulled answers later than the minute for which commands try.
    - name: coordinator
      image: {{ include "tutti.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      command: [sh, -c, "until tutti agents; do sleep 2; done"]
      {{- $env | nindent 6 }}
      resources: {{- toYaml $campaign.resources | nindent 8 }}
      {{- include "tutti.container" . | nindent 6 }}
      volumeMounts:
        - name: token
          mountPath: /etc/tutti/token
          readOnly: true
  containers:
    - name: campaign
      image: {{ include "tutti.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      workingDir: /campaigns
      args:
        - start
        - {{ $script.file | quote }}
        - --wait
        {{- $expected := $campaign.expectAgents }}
        {{- if eq $expected nil }}
        {{- $expected = default 1 .Values.agents.replicas }}
        {{- end }}
        - --expect-agents={{ $expected }}
        {{- range $option, $value := $campaign.options }}
        {{- if kindIs "bool" $value }}
        {{- if $value }}
        - --{{ $option }}
        {{- end }}
        {{- else if kindIs "float64" $value }}
        - --{{ $option }}={{ if eq $value (floor $value) }}{{ $value | int64 }}{{ else }}{{ $value }}{{ end }}
        {{- else }}
        - {{ printf "--%s=%v" $option $value | quote }}
        {{- end }}
        {{- end }}
        {{- range $campaign.args }}
        - {{ . | quote }}
        {{- end }}
      {{- $env | nindent 6 }}
      {{- with $campaign.envFrom }}
      envFrom: {{- toYaml . | nindent 8 }}
      {{- end }}
      resources: {{- toYaml $campaign.resources | nindent 8 }}
      {{- include "tutti.container" . | nindent 6 }}
      volumeMounts:
        - name: token
          mountPath: /etc/tutti/token
          readOnly: true
        {{- if not $script.image }}
        - name: script
          mountPath: /campaigns
          readOnly: true
        {{- end }}
        {{- if $campaign.resultsClaim }}
        - name: results
          mountPath: /results
        {{- end }}
  volumes:
    - name: token
      secret:
        secretName: {{ include "tutti.tokenSecret" . }}
        defaultMode: 0440
    {{- if $script.files }}
    - name: script
      configMap:
        name: {{ include "tutti.fullname" . }}-script
    {{- else if $script.configMap }}
    - name: script
      configMap:
        name: {{ $script.configMap }}
    {{- else if $script.claim }}
    - name: script
      persistentVolumeClaim:
        claimName: {{ $script.claim }}
        readOnly: true
    {{- end }}
    {{- with $campaign.resultsClaim }}
    - name: results
      persistentVolumeClaim:
        claimName: {{ . }}
    {{- end }}
{{- end }}

{{- define "tutti.campaignEnv" -}}
env:
  - name: TUTTI_API
    value: http://{{ include "tutti.coordinator" . }}:7441
  - name: TUTTI_TOKEN_FILE
    value: /etc/tutti/token/{{ .Values.token.key }}
  {{- with .Values.campaign.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
