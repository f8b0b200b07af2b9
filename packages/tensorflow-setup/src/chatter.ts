/**
 * Whether a line of a process is what TensorFlow's library writes on stderr whenever it starts, whatever
 * `TF_CPP_MIN_LOG_LEVEL` says: what concerns nobody, in the format of glog (`I0000 00:00:... file:line]`).
 * The one error among them tells that TensorFlow looked for a faster way and took the usual one.
 */
export function isTensorflowChatter(line: string): boolean {
  return (
    /^I\d{4} \d\d:\d\d:[\d.]+\s+\d+ \S+:\d+\] /.test(line) ||
    /^E\d{4} .*\] oneDNN supports DT_\w+ only on .* Falling back/.test(line) ||
    line ===
      'WARNING: All log messages before absl::InitializeLog() is called are written to STDERR'
  );
}
