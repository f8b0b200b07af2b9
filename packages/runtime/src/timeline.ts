/**
 * The stations of a step, in the order in which it passes them, and two beside the steps. Where one is
 * passed several times in a step, `part` says what of it.
 */
export const STATIONS = {
  /** The examples of a micro-batch are read; beside everything else. */
  read: { part: 'shard', row: 'read' },
  /** A gradient is computed. */
  gradient: { part: 'shard' },
  /** A worker adds a chunk of a gradient to what it has. */
  add: { part: 'chunk' },
  /** A worker sends its contribution to a chunk. */
  push: { part: 'chunk' },
  /** The coordinator, a server or the plain loop takes a contribution into the sum of a chunk. */
  sum: { part: 'chunk' },
  /** The coordinator sends the sum of a chunk to its servers. */
  give: { part: 'chunk' },
  /** A server, or the plain loop, updates the weights of a chunk. */
  update: { part: 'chunk' },
  /** A server sends the new weights of a chunk to whoever awaits them. */
  send: { part: 'chunk' },
  /** A worker awaits the weights that the step makes, and reads them as they come. */
  pull: {},
  /** The coordinator awaits the whole step, or the plain loop makes it. */
  step: {},
  /** The weights that the step has made are evaluated. */
  evaluate: { part: 'shard' },
  /** They are written, beside the next steps. */
  checkpoint: { row: 'checkpoint' },
} as const satisfies Readonly<Record<string, { readonly part?: string; readonly row?: string }>>;

export type Station = keyof typeof STATIONS;

/** What a role tells of its way through the steps. Its time is its own, not that of the role's clock. */
export interface Timeline {
  /** The time, for `passed`. */
  now(): number;
  /**
   * A station was passed, from `since` until now.
   * @param step of the first step it is 0; what belongs to a version belongs to the step that has made it
   * @param part the shard or the chunk
   */
  passed(station: Station, since: number, step: number, part?: number): void;
}

/** That of whoever is not asked for one. */
export const NO_TIMELINE: Timeline = { now: () => 0, passed() {} };
