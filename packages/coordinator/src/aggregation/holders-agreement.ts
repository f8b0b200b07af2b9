import type { Servers } from '../servers/servers.js';

/** Which holders of each chunk have come to some point of a step: to its sum, or to the weights after it. */
export interface HoldersAgreement {
  add(chunk: number, server: number): void;
  has(chunk: number, server: number): boolean;
  /** Whether all that live have come there. */
  isReached(chunk: number): boolean;
  /** Of so many chunks some holder has, or had before it was lost. */
  size(): number;
  clear(): void;
}

export function createHoldersAgreement(servers: Pick<Servers, 'holders'>): HoldersAgreement {
  const come = new Map<number, Set<number>>();
  const has = (chunk: number, server: number) => come.get(chunk)?.has(server) === true;
  return {
    add(chunk, server) {
      const those = come.get(chunk) ?? new Set<number>();
      come.set(chunk, those.add(server));
    },
    has,
    isReached: (chunk) => servers.holders(chunk).every((server) => has(chunk, server)),
    size: () => come.size,
    clear: () => come.clear(),
  };
}
