export { createZmqTransport, type ZmqTransportOptions } from './zmq-transport.js';
