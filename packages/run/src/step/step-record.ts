/** What a run remembers of a step, so that it can be computed again and compared. */
export interface StepRecord {
  readonly job: string;
  /** Steps that are done: this one made version `step`. */
  readonly step: number;
  readonly count: number;
  readonly lossSum: number;
  /** Factor of the learning rate, 1 if absent. */
  readonly rate?: number;
  /** Digest of what was applied: see `SumDigests`. */
  readonly digest: string;
}
