/** Why a function has no graph. */
export interface Obstacle {
  readonly reason: string;
  /**
   * Whether it follows from the shapes alone. Else what the function does depends on more than those,
   * and so may, in another process, whether that is seen.
   */
  readonly steady: boolean;
}

/** Of what no graph may have, whatever process asks. */
export const unsupported = (reason: string): Obstacle => ({ reason, steady: true });

export const unsteady = (reason: string): Obstacle => ({ reason, steady: false });
