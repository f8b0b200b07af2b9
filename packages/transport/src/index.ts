export { createLocalTransport } from './local-transport.js';
export {
  createZmqTransport,
  type Heartbeat,
  type ZmqTransportOptions,
} from './zmq/zmq-transport.js';
