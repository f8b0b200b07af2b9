/** How long something has not become better. */
interface Stagnation {
  readonly best?: number;
  readonly wait: number;
}

/** What early stopping and plateaus have come to: part of a checkpoint. */
export interface SteeringState {
  readonly rate: number;
  readonly stopping: Stagnation;
  readonly plateau: Stagnation & { readonly cooldown: number };
}
