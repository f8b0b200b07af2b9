import type { Block, Kernels } from '@tutti/kernels';
import type { Layout } from '@tutti/parameters';
import type { FloatSource, ParameterValues } from '../program/program.js';

/** Receives a chunk as soon as it is complete; the block passes into its hands. */
export type TakeChunk = (chunk: number, values: Block) => void;

/**
 * What a program computes for every stored parameter, on its way from named arrays to chunks: the
 * arrays come in any order, each chunk is given out once the last of its parameters is there.
 */
export interface Chunker {
  /** Copies the values for one parameter. @throws what `faults` makes of it */
  give(name: string, values: unknown): void;
  /** Gives what has not been given yet. */
  giveRest(values: ParameterValues): void;
  /** The largest magnitude so far. */
  maxAbs(): number;
  /** Frees what was not given out. */
  release(): void;
}

/** Makes the errors of values that are not what the contract says. */
export interface ChunkerFaults {
  /** `message` comes after the name of the function and before the place. */
  broken(message: string): Error;
  notFinite(position: number, value: number): Error;
}

export function createChunker(init: {
  readonly layout: Layout;
  readonly kernels: Kernels;
  readonly take: TakeChunk;
  readonly faults: ChunkerFaults;
  /** Changes a chunk before it is measured and given out. */
  readonly round?: TakeChunk | undefined;
}): Chunker {
  const { layout, kernels, take, faults, round } = init;
  const { chunkFloats } = layout;
  const places = new Map(layout.parameters.map((parameter) => [parameter.name, parameter]));
  const blocks = new Map<number, Block>();
  const lacking = new Map<number, number>();
  const given = new Set<string>();
  let maxAbs = 0;

  function put(chunk: number, at: number, length: number, values: FloatSource, from: number) {
    let block = blocks.get(chunk);
    if (block === undefined) {
      block = kernels.allocate(layout.chunkLength(chunk));
      blocks.set(chunk, block);
      lacking.set(chunk, block.length);
    }
    values.copyTo(block.values.subarray(at, at + length), from);
    const left = lacking.get(chunk)! - length;
    lacking.set(chunk, left);
    if (left > 0) return;
    let most = finiteMaxAbs(chunk, block);
    if (round !== undefined) {
      round(chunk, block);
      most = finiteMaxAbs(chunk, block);
    }
    maxAbs = Math.max(maxAbs, most);
    blocks.delete(chunk);
    take(chunk, block);
  }

  function finiteMaxAbs(chunk: number, block: Block): number {
    const most = kernels.maxAbs(block);
    if (Number.isFinite(most)) return most;
    const element = block.values.findIndex((value) => !Number.isFinite(value));
    throw faults.notFinite(chunk * chunkFloats + element, block.values[element]!);
  }

  function give(name: string, values: unknown) {
    const parameter = places.get(name);
    if (parameter === undefined)
      throw faults.broken(`returned "${name}", which is no stored parameter,`);
    if (given.has(name)) throw faults.broken(`gave "${name}" twice`);
    const { size, offset, shape } = parameter;
    const source = sourceOf(values);
    if (source === undefined) throw faults.broken(`returned no Float32Array for "${name}"`);
    if (source.length !== size)
      throw faults.broken(
        `returned ${source.length} values for "${name}", whose shape [${shape.join(', ')}] has ${size},`,
      );
    given.add(name);
    for (let from = 0; from < size; ) {
      const chunk = Math.floor((offset + from) / chunkFloats);
      const at = offset + from - chunk * chunkFloats;
      const to = Math.min(size, from + chunkFloats - at);
      put(chunk, at, to - from, source, from);
      from = to;
    }
  }

  return {
    give,
    giveRest(values) {
      if (typeof values !== 'object' || values === null)
        throw faults.broken('returned no named arrays');
      for (const { name } of layout.parameters) if (!given.has(name)) give(name, values[name]);
      for (const name of Object.keys(values)) if (!given.has(name)) give(name, values[name]);
    },
    maxAbs: () => maxAbs,
    release() {
      for (const block of blocks.values()) kernels.free(block);
      blocks.clear();
    },
  };
}

function sourceOf(values: unknown): FloatSource | undefined {
  if (values instanceof Float32Array)
    return {
      length: values.length,
      copyTo: (target, from) => target.set(values.subarray(from, from + target.length)),
    };
  const source = values as FloatSource | null | undefined;
  return typeof source?.copyTo === 'function' ? source : undefined;
}
