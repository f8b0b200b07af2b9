import { median } from './pace.js';

/**
 * Who is late in the step under way, and who helps out: a micro-batch that is late by a robust
 * multiple of the step's median is also given to an idle worker. The first copy counts.
 */
export interface Stragglers {
  /** A step begins, of which so many workers owe something. */
  begin(step: number, owners: number, now: number): void;
  /** It is complete. */
  end(now: number): void;
  /** A worker has reported all that it owes of a step. */
  arrived(step: number, worker: string, now: number): void;
  /** After how long what is missing is late; undefined while there is nothing to compare with. */
  readonly lateMs: number | undefined;
  /** When what is missing becomes late. */
  readonly lateAt: number;
  /**
   * Gives what is late, and has no helper yet, to idle workers: as evenly as can be.
   * @param missing shards without a gradient
   */
  help(missing: readonly number[], idle: readonly string[], now: number): Helpers;
  /** The workers that were also given one of these shards. */
  helping(missing: readonly number[]): string[];
  /** Whether anybody had to help in this step. */
  readonly helped: boolean;
  /** It is gone: what it was to help with is without a helper again. */
  gone(worker: string): void;
}

/** The shards that each is given on top of its own. */
export type Helpers = ReadonlyMap<string, readonly number[]>;

/** Nobody is late before: a message can take as long. */
const LEAST_LATE_MS = 20;
/** Steps whose lengths are remembered, and how many say something. */
const WINDOW = 15;
const ENOUGH = 3;

export function createStragglers(): Stragglers {
  const lengths: number[] = [];
  const helpers = new Map<number, string>();
  /** When each had reported, after the step's beginning. */
  let arrivals = new Map<string, number>();
  /** Of the next step: who is quick may report before the step is known to have begun. */
  let early = { step: -1, workers: new Set<string>() };
  let under = { step: -1, owners: 0, since: 0 };

  const stragglers: Stragglers = {
    begin(step, owners, now) {
      arrivals = new Map([...(early.step === step ? early.workers : [])].map((name) => [name, 0]));
      under = { step, owners, since: now };
      helpers.clear();
    },
    end(now) {
      lengths.push(now - under.since);
      if (lengths.length > WINDOW) lengths.shift();
    },
    arrived(step, worker, now) {
      if (step === under.step && !arrivals.has(worker)) arrivals.set(worker, now - under.since);
      if (step !== under.step + 1) return;
      if (early.step !== step) early = { step, workers: new Set() };
      early.workers.add(worker);
    },
    get lateMs() {
      const half = arrivals.size > 0 && 2 * arrivals.size >= under.owners;
      const known = half ? [...arrivals.values()] : lengths;
      if (!half && known.length < ENOUGH) return undefined;
      const middle = median(known);
      const spread = median(known.map((ms) => Math.abs(ms - middle)));
      return Math.max(2 * middle, middle + 5 * spread, LEAST_LATE_MS);
    },
    get lateAt() {
      return under.since + (stragglers.lateMs ?? Number.POSITIVE_INFINITY);
    },
    help(missing, idle, now) {
      const given = new Map<string, number[]>();
      if (now < stragglers.lateAt || idle.length === 0) return given;
      const late = missing.filter((shard) => !helpers.has(shard));
      for (const [at, shard] of late.entries()) {
        const helper = idle[at % idle.length]!;
        helpers.set(shard, helper);
        given.set(helper, [...(given.get(helper) ?? []), shard]);
      }
      return given;
    },
    helping: (missing) => [...new Set(missing.flatMap((shard) => helpers.get(shard) ?? []))],
    get helped() {
      return helpers.size > 0;
    },
    gone(worker) {
      for (const [shard, helper] of helpers) if (helper === worker) helpers.delete(shard);
    },
  };
  return stragglers;
}
