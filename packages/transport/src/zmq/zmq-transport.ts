import { MAX_PAYLOAD_BYTES, type Transport } from '@tutti/protocol';
import { type Clock, systemClock } from '@tutti/runtime';
import { curveKeysOf, type JobKey } from '../key/job-key.js';
import { CONNECT_DEADLINE_MS, HEARTBEAT_MS, PEER_TIMEOUT_MS, RETRY_MS } from '../tunables.js';
import { type Resolve, resolveWithSystem } from './resolve.js';
import { connectZmq } from './zmq-connection.js';
import { listenZmq } from './zmq-listener.js';

/** Signs of life between processes, which libzmq's own thread sends also while a process computes. */
export interface Heartbeat {
  /** Milliseconds between two. Default 500. */
  readonly heartbeatMs?: number | undefined;
  /** Silence after which a peer counts as gone. Default 2,000. */
  readonly timeoutMs?: number | undefined;
}

export interface ZmqTransportOptions extends Heartbeat {
  /**
   * The secret that all processes of a job share, 32 bytes: see `readKeyFile`. With it everything is
   * encrypted, and whoever has another or none is refused at once.
   */
  readonly key?: JobKey | undefined;
  /** Listens without a key also where other machines can connect. Default false. */
  readonly insecure?: boolean | undefined;
  /**
   * Bytes of the largest payload. A peer that sends more loses its connection before anything is
   * allocated for it. Default `MAX_PAYLOAD_BYTES`.
   */
  readonly maxPayloadBytes?: number | undefined;
  /** How long `connect` keeps trying. Default 30,000. */
  readonly connectDeadlineMs?: number | undefined;
  /** Pause between two attempts to connect. Default 50. */
  readonly retryMs?: number | undefined;
  /**
   * Whether payloads between processes on one machine go through a file in memory. Default true;
   * where that is not to be had they go through the socket.
   */
  readonly sharedMemory?: boolean | undefined;
  readonly clock?: Clock | undefined;
  /** Looks host names up; as the system does by default. */
  readonly resolve?: Resolve | undefined;
}

/**
 * Links over ZeroMQ: `tcp://host:port` and `ipc://path`. The host is a name or an address, of IPv4 or
 * IPv6; to listen, also `*` for all interfaces. A ROUTER listens, a DEALER connects.
 *
 * The end of a peer is noticed at once when its process ends (its kernel closes the connection), and
 * after `timeoutMs` when its machine or the network is gone.
 *
 * Without a key it listens only where this machine alone can connect, unless it is told `insecure`.
 * @throws TuttiError BAD_CONFIG for a key that is none
 */
export function createZmqTransport(options: ZmqTransportOptions = {}): Transport {
  const init = {
    maxPayloadBytes: options.maxPayloadBytes ?? MAX_PAYLOAD_BYTES,
    heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
    timeoutMs: options.timeoutMs ?? PEER_TIMEOUT_MS,
    keys: options.key && curveKeysOf(options.key),
    insecure: options.insecure ?? false,
    connectDeadlineMs: options.connectDeadlineMs ?? CONNECT_DEADLINE_MS,
    retryMs: options.retryMs ?? RETRY_MS,
    sharedMemory: options.sharedMemory ?? true,
    clock: options.clock ?? systemClock,
    resolve: options.resolve ?? resolveWithSystem,
  };
  return {
    peerTimeoutMs: init.timeoutMs,
    listen: (address, handlers) => listenZmq(address, handlers, init),
    connect: (address, handlers) => connectZmq(address, handlers, init),
  };
}
