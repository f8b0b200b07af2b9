import type { Enclosed, ServerToCoordinator } from '@tutti/protocol';
import type { Store } from '@tutti/store';

/** The state of a store at one version, on its way to whoever asked, while the training goes on. */
export interface Captures {
  /** What the same peer asked for before and has not got is given up. */
  begin(peer: string, version: number, slots: boolean, chunks: readonly number[]): void;
  /** The chunk is about to change: it goes out first, if it has not yet. */
  beforeStep(step: number, chunk: number): void;
  /** The peer is gone. */
  forget(peer: string): void;
  clear(): void;
}

interface Pending {
  readonly version: number;
  readonly slots: boolean;
  readonly open: Set<number>;
}

/** @param init.defer has the rest sent chunk by chunk, with other work in between */
export function createCaptures(init: {
  readonly store: Store;
  readonly send: (peer: string, body: ServerToCoordinator, rest: Enclosed) => void;
  readonly defer: (task: () => void) => void;
}): Captures {
  const { store, send, defer } = init;
  const pending = new Map<string, Pending>();

  function ship(peer: string, { version, slots, open }: Pending, chunk: number) {
    open.delete(chunk);
    const weights = store.read(chunk, version)!;
    const states = slots ? store.slots(chunk) : [];
    const payload = new Uint8Array((1 + states.length) * weights.byteLength);
    payload.set(weights);
    for (const [at, { buffer, byteOffset, byteLength }] of states.entries())
      payload.set(new Uint8Array(buffer, byteOffset, byteLength), (1 + at) * byteLength);
    send(peer, { type: 'captured', version, chunk }, { payload });
  }

  function continueWith(peer: string, capture: Pending) {
    // Another one may have taken its place.
    if (pending.get(peer) !== capture) return;
    const [chunk] = capture.open;
    if (chunk === undefined) return void pending.delete(peer);
    ship(peer, capture, chunk);
    defer(() => continueWith(peer, capture));
  }

  return {
    begin(peer, version, slots, chunks) {
      const capture = { version, slots, open: new Set(chunks) };
      pending.set(peer, capture);
      defer(() => continueWith(peer, capture));
    },
    beforeStep(step, chunk) {
      for (const [peer, capture] of pending)
        if (capture.version === step && capture.open.has(chunk)) ship(peer, capture, chunk);
    },
    forget: (peer) => void pending.delete(peer),
    clear: () => pending.clear(),
  };
}
