/** One direction of a connection in memory: parcels that arrive one after the other. */
export interface Pipe {
  readonly from: string;
  readonly to: string;
  /** Queues what is to happen at the receiver, and when it is due if nothing is in the way. */
  push(arrive: () => void): void;
  /** Holds back whatever falls due, as a network does that repeats what is not acknowledged. */
  hold(): void;
  /** Lets go what was held back. */
  release(): void;
  /** Loses all parcels on the way but the first `kept`. */
  drop(kept: number): void;
  length(): number;
}

export interface PipeInit {
  readonly from: string;
  readonly to: string;
  /** Runs a task after the next message's delay. Tasks may run in another order than scheduled. */
  schedule(task: () => void): void;
}

/**
 * Each parcel sets one task, and each task that runs hands over the *first* parcel. So the order is
 * kept whatever the delays are, and a parcel never arrives before its own delay's worth of tasks.
 */
export function createPipe({ from, to, schedule }: PipeInit): Pipe {
  let parcels: (() => void)[] = [];
  let head = 0;
  let held = false;
  let heldBack = 0;

  function arrive(): void {
    if (held) {
      heldBack++;
      return;
    }
    const parcel = parcels[head];
    if (parcel === undefined) return;
    head++;
    if (head === parcels.length || head === 1024) {
      parcels = parcels.slice(head);
      head = 0;
    }
    parcel();
  }

  return {
    from,
    to,
    push(parcel) {
      parcels.push(parcel);
      schedule(arrive);
    },
    hold() {
      held = true;
    },
    release() {
      held = false;
      for (; heldBack > 0; heldBack--) schedule(arrive);
    },
    drop(kept) {
      parcels = parcels.slice(head, head + kept);
      head = 0;
    },
    length: () => parcels.length - head,
  };
}
