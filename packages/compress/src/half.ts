/** The largest magnitude that rounds to a finite float16 is below this. */
export const HALF_LIMIT = 65_520;

/** The bits of the nearest IEEE 754 binary16, ties to even. Magnitudes from 65,520 are infinite. */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (magnitude >= HALF_LIMIT) return sign | 0x7c00;
  // Below 2^-14 the steps stay those of the smallest exponent. Carries move into the exponent.
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude || 2 ** -15)));
  const steps = roundEven(magnitude / 2 ** (exponent - 10));
  return sign | (((exponent + 14) << 10) + steps);
}

/** The bits of the smallest bfloat16 that is not below a float32 of 0 or more. */
export function toBrainUp(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  return (bits >>> 16) + (bits & 0xffff ? 1 : 0);
}

export function fromBrain(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;
}

function roundEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
