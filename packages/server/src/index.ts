export {
  createServer,
  type RunningServer,
  type Server,
  type ServerInit,
} from './server.js';
export type { ServerEvent } from './server-event.js';
export type { ServerSettings } from './server-settings.js';
