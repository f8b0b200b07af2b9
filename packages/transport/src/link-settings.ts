import type { Transport } from '@tutti/protocol';
import { readKeyFile } from './key/key-file.js';
import {
  createZmqTransport,
  type Heartbeat,
  type ZmqTransportOptions,
} from './zmq/zmq-transport.js';

/** How a process is linked with the others of its job. */
export interface LinkSettings {
  /** Signs of life between the processes. */
  readonly heartbeat?: Heartbeat | undefined;
  /**
   * The file with the key of the job: see `createKeyFile`. A path rather than the key, since all users
   * of a machine can see what its processes are started with.
   */
  readonly keyFile?: string | undefined;
  /** Listens without a key also where other machines can connect. Default false. */
  readonly insecure?: boolean | undefined;
}

/** Their names, for whoever passes them on or refuses others. */
export const LINK_SETTINGS: Readonly<Record<keyof LinkSettings, true>> = {
  heartbeat: true,
  keyFile: true,
  insecure: true,
};

/**
 * `createZmqTransport` as it is set, with the key read from its file.
 * @throws TuttiError BAD_CONFIG if that is none, or others could have read it
 */
export async function openZmqTransport(
  settings: LinkSettings,
  options: ZmqTransportOptions = {},
): Promise<Transport> {
  const { heartbeat, keyFile, insecure } = settings;
  // Unnamed wait: a small file of this machine.
  const key = keyFile === undefined ? undefined : await readKeyFile(keyFile);
  return createZmqTransport({ ...heartbeat, ...options, key, insecure });
}
