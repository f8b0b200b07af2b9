/** Every so many steps, or every so much time. */
export type Interval = { readonly steps: number } | { readonly ms: number };

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500` (steps), `250ms`, `1s`, `1.5m`, `2h`; undefined for anything else, and for nothing at all. */
export function parseInterval(text: string): Interval | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  if (match === null) return undefined;
  const amount = Number(match[1]);
  const unit = match[2];
  if (unit !== undefined) return amount > 0 ? { ms: amount * UNITS_MS[unit]! } : undefined;
  return Number.isSafeInteger(amount) && amount > 0 ? { steps: amount } : undefined;
}
