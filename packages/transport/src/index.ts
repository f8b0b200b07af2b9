export type { JobKey } from './key/job-key.js';
export { createKeyFile, readKeyFile } from './key/key-file.js';
export { type LinkSettings, openZmqTransport } from './link-settings.js';
export { createLocalTransport } from './local-transport.js';
export type { NetworkLimits } from './shaping/network-limits.js';
export { createShapedTransport } from './shaping/shaped-transport.js';
export { withShortcut } from './shortcut.js';
export {
  createZmqTransport,
  type Heartbeat,
  type ZmqTransportOptions,
} from './zmq/zmq-transport.js';
