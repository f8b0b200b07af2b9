export {
  createServer,
  type RunningServer,
  type Server,
  type ServerEvent,
  type ServerInit,
} from './server.js';
