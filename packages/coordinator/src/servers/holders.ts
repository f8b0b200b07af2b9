import { type Layout, partition } from '@tutti/parameters';
import type { ServerStatus } from '@tutti/protocol';

/** A server is known by its place among all of them. */
export interface Holders {
  /** Ranges that the parameters are cut into. */
  readonly width: number;
  /** The servers that are not given up. */
  living(): readonly number[];
  /** The living holders of a chunk. */
  holders(chunk: number): readonly number[];
  /** The living holders of the same range, itself among them. */
  siblings(server: number): readonly number[];
  /** Whether some range has several living holders. */
  replicated(): boolean;
  isGivenUp(server: number): boolean;
  /** Those that were given up and are there: they have nothing of use, and could be given what the others have. */
  returned(): readonly number[];
  /** One that was given up has all that the others of its range have. */
  readmit(server: number): void;
}

/** Neighbouring chunks; none if there are more ranges than chunks. */
export interface Range {
  readonly firstChunk: number;
  readonly chunks: number;
}

export const chunksIn = ({ firstChunk, chunks }: Range): readonly number[] =>
  Array.from({ length: chunks }, (_, at) => firstChunk + at);

/** Which servers hold which range, for those who are connected to them. */
export interface HolderRecord extends Holders {
  /** Cuts the parameters into ranges. */
  cut(layout: Layout): void;
  /** Whether they are. */
  isCut(): boolean;
  /** That of a server; empty before they are cut. */
  rangeOf(server: number): Range;
  /** The first living holder of each range. */
  primaries(): readonly number[];
  roleOf(server: number): ServerStatus['role'];
  /** Others hold its range. */
  giveUp(server: number, reason: string): void;
  /** Why one was given up. */
  reasonOf(server: number): string | undefined;
  /** One that was given up is there, or is not. */
  present(server: number, isThere: boolean): void;
  /** The places are those of other servers. */
  clear(): void;
}

/**
 * @param width ranges, each held by one server and its standbys: servers come in rounds, one for each range
 * @param count servers that there are by now
 */
export function createHolders(width: number, count: () => number): HolderRecord {
  let ranges: readonly Range[] = [];
  /** Those that were given up, and why. */
  const givenUp = new Map<number, string>();
  /** Those of them that have said something since. */
  const back = new Set<number>();

  const living = () =>
    Array.from({ length: count() }, (_, at) => at).filter((at) => !givenUp.has(at));
  const ofRange = (range: number) => living().filter((at) => at % width === range);
  const all = () => Array.from({ length: width }, (_, range) => ofRange(range));

  return {
    width,
    living,
    holders: (chunk) =>
      ofRange(ranges.findIndex(({ firstChunk, chunks }) => chunk < firstChunk + chunks)),
    siblings: (server) => ofRange(server % width),
    replicated: () => all().some(({ length }) => length > 1),
    isGivenUp: (server) => givenUp.has(server),
    returned: () => [...back],
    readmit(server) {
      givenUp.delete(server);
      back.delete(server);
    },
    cut(layout) {
      ranges = partition(layout.chunks, width);
    },
    isCut: () => ranges.length > 0,
    rangeOf: (server) => ranges[server % width] ?? { firstChunk: 0, chunks: 0 },
    primaries: () => all().map(([first]) => first!),
    roleOf(server) {
      if (givenUp.has(server)) return 'lost';
      return ofRange(server % width)[0] === server ? 'primary' : 'standby';
    },
    giveUp: (server, reason) => void givenUp.set(server, reason),
    reasonOf: (server) => givenUp.get(server),
    present(server, isThere) {
      if (isThere && givenUp.has(server)) back.add(server);
      else if (!isThere) back.delete(server);
    },
    clear() {
      givenUp.clear();
      back.clear();
    },
  };
}
