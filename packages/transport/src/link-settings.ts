import type { Transport } from '@tutti/protocol';
import { readKeyFile } from './key/key-file.js';
import type { NetworkLimits } from './shaping/network-limits.js';
import { createShapedTransport } from './shaping/shaped-transport.js';
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
  /** Has this process send and get messages as slowly as on such a network. Default: as they come. */
  readonly network?: NetworkLimits | undefined;
}

/** Their names, for whoever passes them on or refuses others. */
export const LINK_SETTINGS: Readonly<Record<keyof LinkSettings, true>> = {
  heartbeat: true,
  keyFile: true,
  insecure: true,
  network: true,
};

/**
 * `createZmqTransport` as it is set, with the key read from its file, on the network that is asked for.
 * @throws TuttiError BAD_CONFIG if that is none, or others could have read it
 */
export async function openZmqTransport(
  settings: LinkSettings,
  options: ZmqTransportOptions = {},
): Promise<Transport> {
  const { heartbeat, keyFile, insecure, network } = settings;
  // Unnamed wait: a small file of this machine.
  const key = keyFile === undefined ? undefined : await readKeyFile(keyFile);
  const transport = createZmqTransport({ ...heartbeat, ...options, key, insecure });
  return network === undefined ? transport : createShapedTransport(transport, network);
}
