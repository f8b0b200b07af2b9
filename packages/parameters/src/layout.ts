import { type JobPlan, MAX_PAYLOAD_BYTES, type StoredParameter } from '@tutti/protocol';
import { TuttiError } from '@tutti/runtime';

/**
 * Floats in a block. Sums over the whole vector (a clipping norm) are made block by block, so that
 * they do not depend on the size of the chunks, as long as that is a multiple of it.
 */
export const BLOCK_FLOATS = 65_536;

/** Floats in a chunk: the unit of wire, reduction and update. Each costs messages: 1 MiB is worth them. */
export const CHUNK_FLOATS = 4 * BLOCK_FLOATS;

/** A chunk is the payload of one message. */
export const MAX_CHUNK_FLOATS = MAX_PAYLOAD_BYTES / 4;

/** @throws TuttiError BAD_CONFIG */
export function checkChunkFloats(chunkFloats: number): void {
  if (Number.isSafeInteger(chunkFloats) && chunkFloats >= 1 && chunkFloats <= MAX_CHUNK_FLOATS)
    return;
  throw new TuttiError('BAD_CONFIG', `chunkFloats is ${chunkFloats}`, {
    remedy: `Give a whole number from 1 to ${MAX_CHUNK_FLOATS}, which is ${MAX_PAYLOAD_BYTES} bytes, the most that a message carries.`,
  });
}

/** What the busiest server may have to do beyond what smaller chunks would leave it: they cost messages. */
const UNEVEN = 1.1;

/** Floats in a chunk: the most that leave no server much more to do than others, and none without. */
export function chunkFloatsFor(floats: number, servers: number): number {
  const sizes = [];
  for (let size = CHUNK_FLOATS; size > 0; size -= BLOCK_FLOATS) sizes.push(size);
  const most = (size: number) =>
    Math.max(
      ...partition(Math.ceil(floats / size), servers).map(({ firstChunk, chunks }) => {
        const from = firstChunk * size;
        return Math.min(floats, from + chunks * size) - from;
      }),
    );
  const least = Math.min(...sizes.map(most));
  const fewest = Math.min(servers, Math.ceil(floats / BLOCK_FLOATS));
  return sizes.find((size) => most(size) <= UNEVEN * least && Math.ceil(floats / size) >= fewest)!;
}

export interface PlacedParameter extends Required<StoredParameter> {
  /** Where it starts in the flat vector, in floats. */
  readonly offset: number;
  /** Its length in floats. */
  readonly size: number;
}

/** A run inside one chunk that the server updates by one rule. */
export interface Segment {
  /** In floats from the start of the chunk. */
  readonly start: number;
  readonly length: number;
  readonly update: 'gradient' | 'average';
  readonly decay: boolean;
}

/** How the stored parameters lie in one flat vector, and how that is cut into chunks. */
export interface Layout {
  readonly parameters: readonly PlacedParameter[];
  /** Floats in the whole vector. */
  readonly floats: number;
  readonly chunks: number;
  readonly chunkFloats: number;
  /** Floats in one chunk; only the last may be shorter. */
  chunkLength(chunk: number): number;
  /** The runs of one chunk, in order and without gaps; neighbours with one rule are one run. */
  segments(chunk: number): readonly Segment[];
  /** The runs of one chunk that are trained, none across the border of two blocks of the vector. */
  trainedBlocks(chunk: number): readonly Pick<Segment, 'start' | 'length'>[];
  /** Neighbouring chunks, as a store takes them. */
  range(
    firstChunk: number,
    chunks: number,
  ): {
    readonly firstChunk: number;
    readonly chunkLengths: readonly number[];
    readonly segments: readonly (readonly Segment[])[];
  };
  /** The parameter that owns one float of the flat vector. */
  parameterAt(position: number): PlacedParameter;
  /** Named views into a flat vector. */
  views(flat: Float32Array): Record<string, Float32Array>;
}

/** The layout of a job. */
export function layoutOf(plan: Pick<JobPlan, 'parameters' | 'chunkFloats'>): Layout {
  return createLayout(plan.parameters, plan.chunkFloats);
}

/**
 * Lays the parameters one after the other, in the order in which they are declared.
 * @throws TuttiError BAD_CONFIG for an impossible chunk; BAD_PROGRAM for no parameters, a name used twice, an impossible shape
 */
export function createLayout(
  declared: readonly StoredParameter[],
  chunkFloats: number = CHUNK_FLOATS,
): Layout {
  checkChunkFloats(chunkFloats);
  const parameters = place(declared);
  const last = parameters[parameters.length - 1]!;
  const floats = last.offset + last.size;
  const chunks = Math.ceil(floats / chunkFloats);
  const chunkLength = (chunk: number) => Math.min(chunkFloats, floats - chunk * chunkFloats);

  const layout: Layout = {
    parameters,
    floats,
    chunks,
    chunkFloats,
    chunkLength,
    range(firstChunk, count) {
      const all = Array.from({ length: count }, (_, at) => firstChunk + at);
      return {
        firstChunk,
        chunkLengths: all.map(chunkLength),
        segments: all.map(layout.segments),
      };
    },
    segments(chunk) {
      const from = chunk * chunkFloats;
      const to = from + chunkLength(chunk);
      const segments: { -readonly [K in keyof Segment]: Segment[K] }[] = [];
      for (const { offset, size, update, decay } of parameters) {
        const start = Math.max(offset, from);
        const end = Math.min(offset + size, to);
        if (start >= end) continue;
        const previous = segments[segments.length - 1];
        if (previous?.update === update && previous.decay === decay) previous.length += end - start;
        else segments.push({ start: start - from, length: end - start, update, decay });
      }
      return segments;
    },
    trainedBlocks(chunk) {
      const runs: Pick<Segment, 'start' | 'length'>[] = [];
      for (const { start, length, update } of layout.segments(chunk)) {
        if (update !== 'gradient') continue;
        for (let at = start; at < start + length; ) {
          const inBlock = (chunk * chunkFloats + at) % BLOCK_FLOATS;
          const end = Math.min(start + length, at + BLOCK_FLOATS - inBlock);
          runs.push({ start: at, length: end - at });
          at = end;
        }
      }
      return runs;
    },
    parameterAt(position) {
      const found = parameters.find(
        ({ offset, size }) => position >= offset && position < offset + size,
      );
      if (found === undefined) throw new RangeError(`No parameter at float ${position}`);
      return found;
    },
    views(flat) {
      return Object.fromEntries(
        parameters.map(({ name, offset, size }) => [name, flat.subarray(offset, offset + size)]),
      );
    },
  };
  return layout;
}

function place(declared: readonly StoredParameter[]): PlacedParameter[] {
  const bad = (message: string) =>
    new TuttiError('BAD_PROGRAM', message, {
      remedy: 'Correct the parameters that the program declares.',
    });
  if (declared.length === 0) throw bad('The program declares no parameters');
  const names = new Set<string>();
  let offset = 0;
  return declared.map(({ name, shape, update = 'gradient', decay = true }) => {
    if (names.has(name)) throw bad(`Two stored parameters are called "${name}"`);
    names.add(name);
    const size = shape.reduce((product, extent) => product * extent, 1);
    if (!Number.isSafeInteger(size) || size < 1 || shape.some((extent) => extent < 1))
      throw bad(`Stored parameter "${name}" has the impossible shape [${shape.join(', ')}]`);
    const placed = { name, shape: [...shape], update, decay, offset, size };
    offset += size;
    return placed;
  });
}

/**
 * Neighbouring chunks for each of `servers` servers, as even as whole chunks allow. With more
 * servers than chunks, the last ones hold none.
 */
export function partition(
  chunks: number,
  servers: number,
): { readonly firstChunk: number; readonly chunks: number }[] {
  return Array.from({ length: servers }, (_, server) => {
    const firstChunk = Math.ceil((server * chunks) / servers);
    return { firstChunk, chunks: Math.ceil(((server + 1) * chunks) / servers) - firstChunk };
  });
}
