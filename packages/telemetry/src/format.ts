import type { Metrics } from './events.js';

/** 1234567 -> "1,234,567"; fractions are rounded. The same on every machine, whatever its locale. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Bytes with decimal units: 1800000 -> "1.8 MB". */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** Milliseconds for a reader: "0.4 s", "12 s", "3 min 05 s", "2 h 07 min". */
export function formatDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return '?';
  const seconds = Math.max(0, durationMs) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** A loss with four significant digits, never in a form that jumps in width for common values. */
export function formatLoss(loss: number): string {
  if (!Number.isFinite(loss)) return String(loss);
  const magnitude = Math.abs(loss);
  if (magnitude !== 0 && (magnitude < 0.0001 || magnitude >= 100000)) return loss.toExponential(3);
  return loss.toFixed(magnitude < 10 ? 4 : 2);
}

/** 0.9912 -> "99.12 %". */
export function formatShare(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(2)} %` : String(share);
}

/** `accuracy 99.12 %, meanAbsoluteError 0.3021`. */
export function formatMetrics(metrics: Metrics): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${formatMetric(name, value)}`)
    .join(', ');
}

/** Metrics that are a share of something, by their name. */
const SHARE = /accuracy|precision|recall|auc|f1|top_?\d/i;

/** Accuracy and the like as a share in percent, anything else as a loss. */
export function formatMetric(name: string, value: number): string {
  const share = SHARE.test(name) && value >= 0 && value <= 1;
  return share ? formatShare(value) : formatLoss(value);
}

/** [0, 1, 2, 5] -> "0-2, 5" */
export function formatRanges(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; ) {
    let end = at;
    while (sorted[end + 1] === sorted[end]! + 1) end++;
    parts.push(formatRange(sorted[at]!, sorted[end]!));
    at = end + 1;
  }
  return parts.length === 0 ? 'none' : parts.join(', ');
}

/** 3, 3 -> "3"; 3, 5 -> "3-5"; nothing from 3 to 2 -> "none" */
export function formatRange(first: number, last: number): string {
  if (last < first) return 'none';
  return first === last ? String(first) : `${first}-${last}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
