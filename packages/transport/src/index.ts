export { createLocalTransport } from './local-transport.js';
export {
  createMemoryNetwork,
  type MemoryNetwork,
  type MemoryNetworkOptions,
} from './memory/memory-network.js';
export {
  createZmqTransport,
  type Heartbeat,
  type ZmqTransportOptions,
} from './zmq/zmq-transport.js';
