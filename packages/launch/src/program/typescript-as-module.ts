/**
 * The resolve hook that `load-program` adds to tsx's. A program is written with `import` and
 * `export`, but in a folder whose package.json does not say `"type": "module"`, or that has none,
 * tsx would run it as CommonJS, where it cannot import Tutti, await at its top or ask for
 * `import.meta`.
 */
export function resolve<Result extends Resolved | Promise<Resolved>>(
  specifier: string,
  context: unknown,
  next: (specifier: string, context: unknown) => Result,
): Result {
  const resolved = next(specifier, context);
  return (resolved instanceof Promise ? resolved.then(asModule) : asModule(resolved)) as Result;
}

interface Resolved {
  readonly url: string;
  readonly format?: string | null;
}

function asModule(resolved: Resolved): Resolved {
  const typescript = /^file:[^?#]*\.tsx?(?:[?#]|$)/.test(resolved.url);
  return typescript ? { ...resolved, format: 'module' } : resolved;
}
