import { OUTPUT_NAMES } from './output-names.js';
import {
  type Operation,
  type RecordedNode,
  type Recording,
  type Source,
  typeOf,
} from './recording.js';

/** Operations that a recording has several times in a row: a time step of a recurrent layer, say. */
export interface Repeat {
  readonly instances: readonly Instance[];
  /** What anybody else reads, by the position in an instance. */
  readonly results: readonly Result[];
}

export interface Instance {
  /** In the order of the recording. */
  readonly nodes: readonly number[];
  /** What it reads that it did not make, but for constants; the same types in each instance. */
  readonly given: readonly Source[];
}

interface Result {
  readonly position: number;
  readonly output: number;
}

/** Fewer or shorter ones cost more as functions than they save. */
const LEAST_INSTANCES = 8;
const LEAST_LENGTH = 8;

/** Where to cut longer ones would take too long to find. */
const MOST_LENGTH = 500;

/** So many operations in a row tell where in a repeated run one is. */
const CONTEXT = 12;

/** As many distances between runs that look the same are tried. */
const DISTANCES = 16;

/** Runs of operations without gaps; no two overlap, so each can be computed as one. */
export function repeatsOf({ nodes, outputs }: Recording): Repeat[] {
  /** The places of all operations. */
  const places = [...nodes.keys()].filter((place) => nodes[place]!.kind === 'operation');
  const looks = looksOf(nodes, places);
  const taken = new Uint8Array(places.length);
  const found: Repeat[] = [];
  for (const run of runsIn(looks)) {
    const { start, period, end } = run;
    if (taken.subarray(start, end).includes(1)) continue;
    const instances = alike(nodes, sliced(nodes, places, run));
    if (instances.length < LEAST_INSTANCES) continue;
    taken.fill(1, start, end);
    found.push(asFunction(nodes, outputs, instances, period));
  }
  return found;
}

/** A number for each operation, the same for those that differ in nothing but where they read from. */
function looksOf(nodes: readonly RecordedNode[], places: readonly number[]): Int32Array {
  const known = new Map<string, number>();
  return Int32Array.from(places, (place) => {
    const { name, attributes, inputs, types } = nodes[place] as Operation;
    // One that is like no other.
    if (!OUTPUT_NAMES.has(name)) return -1 - place;
    const read = inputs.map((source) =>
      nodes[source.node]!.kind === 'constant' ? source.node : typeOf(nodes, source),
    );
    const key = JSON.stringify([name, attributes, read, types]);
    const look = known.get(key) ?? known.size;
    known.set(key, look);
    return look;
  });
}

interface Run {
  readonly start: number;
  readonly period: number;
  readonly end: number;
}

/** What looks the same one period later, those that save most first. */
function runsIn(looks: Int32Array): Run[] {
  const runs: Run[] = [];
  for (const period of periodsIn(looks)) {
    let start = 0;
    for (let at = 0; at <= looks.length - period; at++) {
      if (at < looks.length - period && looks[at] === looks[at + period]) continue;
      const end = at + period;
      if (end - start >= LEAST_INSTANCES * period) runs.push({ start, period, end });
      start = at + 1;
    }
  }
  const saved = ({ start, period, end }: Run) => end - start - period;
  return runs.sort((a, b) => saved(b) - saved(a) || a.start - b.start);
}

function periodsIn(looks: Int32Array): number[] {
  const last = new Map<string, number>();
  const counts = new Map<number, number>();
  for (let at = 0; at + CONTEXT <= looks.length; at++) {
    const context = looks.subarray(at, at + CONTEXT).join();
    const distance = at - (last.get(context) ?? at);
    last.set(context, at);
    if (distance >= LEAST_LENGTH && distance <= MOST_LENGTH)
      counts.set(distance, (counts.get(distance) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || a - b)
    .slice(0, DISTANCES)
    .map(([distance]) => distance);
}

/** Cuts a run where the fewest values go from one part to the next. */
function sliced(
  nodes: readonly RecordedNode[],
  places: readonly number[],
  { start, period, end }: Run,
): number[][] {
  const crossing = (at: number) => {
    const [first, cut, last] = [places[at - period]!, places[at]!, places[at + period]!];
    const values = new Set<string>();
    for (const place of places.slice(at, at + period))
      for (const { node, output } of (nodes[place] as Operation).inputs)
        if (node >= first && node < cut && cut < last && nodes[node]!.kind === 'operation')
          values.add(`${node}:${output}`);
    return values.size;
  };
  let [best, fewest] = [start, Number.POSITIVE_INFINITY];
  for (let phase = 0; phase < period; phase++) {
    const values = crossing(start + period + phase);
    if (values < fewest) [best, fewest] = [start + phase, values];
  }
  const parts: number[][] = [];
  for (let at = best; at + period <= end; at += period) parts.push(places.slice(at, at + period));
  return parts;
}

/** The most in a row whose operations read each other in the same way. */
function alike(nodes: readonly RecordedNode[], parts: readonly number[][]): number[][] {
  const ways = parts.map((part) => {
    const positions = new Map(part.map((place, position) => [place, position]));
    return part
      .flatMap((place) =>
        (nodes[place] as Operation).inputs.map(({ node, output }) =>
          positions.has(node) ? `${positions.get(node)}:${output}` : '',
        ),
      )
      .join();
  });
  let best: number[][] = [];
  for (let from = 0, to = 1; to <= parts.length; to++) {
    if (to < parts.length && ways[to] === ways[from]) continue;
    if (to - from > best.length) best = parts.slice(from, to);
    from = to;
  }
  return best;
}

function asFunction(
  nodes: readonly RecordedNode[],
  outputs: readonly Source[],
  parts: readonly number[][],
  period: number,
): Repeat {
  const owners = new Map<number, number>();
  for (const [at, part] of parts.entries()) for (const place of part) owners.set(place, at);
  // One argument for what is one tensor in each of the instances.
  const given = new Map<string, Source[]>();
  for (let position = 0; position < period; position++) {
    const operations = parts.map((part) => nodes[part[position]!] as Operation);
    for (const [input, { node }] of operations[0]!.inputs.entries()) {
      if (owners.get(node) === 0 || nodes[node]!.kind === 'constant') continue;
      const sources = operations.map(({ inputs }) => inputs[input]!);
      given.set(JSON.stringify(sources), sources);
    }
  }
  const results = new Map<string, Result>();
  const positions = new Map(
    parts.flatMap((part) => part.map((place, position) => [place, position] as const)),
  );
  const read = ({ node, output }: Source, by?: number) => {
    const position = positions.get(node);
    if (position === undefined || owners.get(node) === by) return;
    results.set(`${position}:${output}`, { position, output });
  };
  for (const [place, node] of nodes.entries())
    if (node.kind === 'operation')
      for (const source of node.inputs) read(source, owners.get(place));
  for (const source of outputs) read(source);
  const all = [...given.values()];
  return {
    instances: parts.map((part, at) => ({ nodes: part, given: all.map((each) => each[at]!) })),
    results: [...results.values()],
  };
}
