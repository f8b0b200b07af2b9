/** What `--network` asks for. */
export interface Network {
  readonly bitsPerSecond?: number;
  readonly delayMs?: number;
}

/** As tc says them: powers of ten, bits. */
const UNITS_BITS: Readonly<Record<string, number>> = { kbit: 1e3, mbit: 1e6, gbit: 1e9 };
const UNITS_MS: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1000 };

/**
 * `rate=1gbit,delay=5ms`, or one of the two; undefined for anything else. Rates are in kbit, mbit and
 * gbit a second, delays in us, ms and s.
 */
export function parseNetwork(text: string): Network | undefined {
  const network: { bitsPerSecond?: number; delayMs?: number } = {};
  for (const part of text.trim().toLowerCase().split(',')) {
    const match = /^\s*(rate|delay)=(\d+(?:\.\d+)?)([a-z]+)\s*$/.exec(part);
    if (match === null) return undefined;
    const name = match[1] === 'rate' ? 'bitsPerSecond' : 'delayMs';
    const unit = (match[1] === 'rate' ? UNITS_BITS : UNITS_MS)[match[3]!];
    const value = Number(match[2]) * (unit ?? Number.NaN);
    if (!(value > 0) || network[name] !== undefined) return undefined;
    network[name] = value;
  }
  return network;
}
