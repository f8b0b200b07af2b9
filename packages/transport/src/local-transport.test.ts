import { complianceCases } from './compliance.js';
import { createLocalTransport } from './local-transport.js';

describe('the local transport', () => {
  for (const { name, run } of complianceCases) {
    it(name, () => {
      const transport = createLocalTransport();
      return run({
        listening: transport,
        connecting: transport,
        freshAddress: () => 'local://role:0',
      });
    });
  }
});
