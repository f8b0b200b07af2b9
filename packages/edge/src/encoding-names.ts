/** What writers call `ENCODINGS`, by their numbers; a file of its own, since the reader does without. */
export const ENCODING = { float32: 0, float16: 1, int8: 2, int4: 3, codebook: 4 } as const;
