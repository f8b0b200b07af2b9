{{- /* The address of a pod of a role, by its index. */ -}}
{{- define "tutti.host" -}}
{{ printf "%s-%s-0-%d.%s" .release .role (int .index) .release }}
{{- end -}}

{{- define "tutti.secret" -}}
{{ default (printf "%s-key" .Release.Name) .Values.key.existingSecret }}
{{- end -}}

{{- /* A pod of a role: root, role, arguments, port (0: it does not listen), restart. */ -}}
{{- define "tutti.pod" -}}
{{- $values := .root.Values -}}
restartPolicy: {{ .restart }}
# Else services of the namespace put variables into every container.
enableServiceLinks: false
automountServiceAccountToken: false
terminationGracePeriodSeconds: {{ $values.graceSeconds }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
containers:
  - name: {{ .role }}
    image: "{{ $values.image.repository }}:{{ default .root.Chart.AppVersion $values.image.tag }}"
    imagePullPolicy: {{ $values.image.pullPolicy }}
    args: {{ toJson .arguments }}
    env:
      - name: TUTTI_KEY_FILE
        value: /etc/tutti/key
      {{- if eq .role "worker" }}
      - name: TUTTI_RANK
        valueFrom:
          fieldRef:
            fieldPath: metadata.annotations['batch.kubernetes.io/job-completion-index']
      {{- end }}
    {{- if .port }}
    ports:
      - name: tutti
        containerPort: {{ .port }}
    startupProbe:
      tcpSocket:
        port: tutti
      periodSeconds: 2
      failureThreshold: 60
    {{- end }}
    {{- if eq .role "coordinator" }}
    readinessProbe:
      exec:
        command: [tutti, status, --coordinator, "tcp://127.0.0.1:{{ .port }}"]
      periodSeconds: 60
      timeoutSeconds: 20
    {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    resources: {{- toYaml (index $values.resources .role) | nindent 6 }}
    volumeMounts:
      - name: key
        mountPath: /etc/tutti
        readOnly: true
      - name: shared-memory
        mountPath: /dev/shm
      - name: tmp
        mountPath: /tmp
      {{- if eq .role "coordinator" }}
      - name: runs
        mountPath: /runs
      {{- end }}
volumes:
  - name: key
    secret:
      secretName: {{ include "tutti.secret" .root }}
      # With fsGroup: for this user alone.
      defaultMode: 288 # 0440
  - name: shared-memory
    emptyDir:
      medium: Memory
      sizeLimit: {{ $values.sharedMemory }}
  - name: tmp
    emptyDir:
      sizeLimit: 1Gi
  {{- if eq .role "coordinator" }}
  - name: runs
    persistentVolumeClaim:
      claimName: {{ .root.Release.Name }}-runs
  {{- end }}
{{- end -}}
