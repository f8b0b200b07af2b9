/** So many zeros. */
export const zeros = (size: number) => new Float32Array(size);
export const floats: typeof Float32Array.from = Float32Array.from.bind(Float32Array);

/** What `make` gives, so many times. */
export const times = <T>(count: number, make: (each: unknown, at: number) => T): T[] =>
  Array.from({ length: count }, make);
