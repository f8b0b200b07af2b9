/** What other packages of Tutti use, and nobody else: it may change with any version. */

export { LINK_SETTINGS } from './link-settings.js';
export {
  createMemoryNetwork,
  type MemoryNetwork,
  type MemoryNetworkOptions,
} from './memory/memory-network.js';
