import * as nodeModule from 'node:module';
import { register as registerTsx } from 'tsx/esm/api';
import * as typescriptAsModule from './typescript-as-module.js';

/** Hooks in the same thread: Node >= 22.15, where tsx uses them too. */
type RegisterHooks = (hooks: Pick<typeof typescriptAsModule, 'resolve'>) => {
  deregister(): void;
};
const { registerHooks } = nodeModule as { readonly registerHooks?: RegisterHooks };

// Hooks of the other kind cannot be taken back: once, when this file is imported.
if (registerHooks === undefined) nodeModule.register('./typescript-as-module.js', import.meta.url);

/** Imports a TypeScript file, and what that imports, as ES modules. */
export async function importTypeScript(url: string): Promise<Record<string, unknown>> {
  const unregisterTsx = registerTsx();
  // The hook that is registered last is asked first, and so has the last word.
  const hooks = registerHooks?.(typescriptAsModule);
  try {
    // Unnamed wait: the caller races it.
    return await import(url);
  } finally {
    hooks?.deregister();
    // Unnamed wait: the caller races it.
    await unregisterTsx();
  }
}
