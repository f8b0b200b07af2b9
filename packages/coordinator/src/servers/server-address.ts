import type { Transport } from '@tutti/protocol';

/** One server, as the coordinator reaches it and as the workers do. */
export interface ServerAddress {
  readonly connect: string;
  /** Another way than the coordinator's own transport: for a server in the same process. */
  readonly transport?: Transport;
  /** What workers connect to; `connect` if not given. */
  readonly public?: string;
}
