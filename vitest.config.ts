import { defineConfig } from 'vitest/config';

const SECOND = 1000;

export default defineConfig({
  cacheDir: '.cache/vite',
  test: {
    // A test that was left focused, or a file without a test, fails instead of passing for less than it says.
    allowOnly: false,
    passWithNoTests: false,
    restoreMocks: true,
    // Not in node_modules, which a container and a guest see read-only.
    fsModuleCachePath: '.cache/vitest',
    coverage: {
      provider: 'v8',
      include: ['daemon/**/*.ts', 'plugins/**/*.ts'],
      exclude: ['**/*.test.ts', '**/testing/**', 'daemon/ports/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
      reportsDirectory: 'coverage',
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['daemon/**/*.test.ts', 'plugins/**/*.test.ts', 'integration/cases/*.test.ts'],
          environment: 'node',
          testTimeout: 10 * SECOND,
        },
      },
      {
        extends: true,
        test: {
          name: 'model',
          include: ['integration/model/**/*.test.ts'],
          environment: 'node',
          testTimeout: 900 * SECOND,
        },
      },
      {
        extends: true,
        test: {
          name: 'reliability',
          include: ['integration/{load,reliability}/**/*.test.ts'],
          environment: 'node',
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 900 * SECOND,
          hookTimeout: 60 * SECOND,
        },
      },
      {
        extends: true,
        test: {
          name: 'sandbox',
          include: ['integration/**/*.test.ts'],
          exclude: ['integration/{cases,load,model,reliability,vm,vm-host}/**'],
          environment: 'node',
          // Mount table, loop devices and mount namespace belong to the whole process: one file at a time, each in its own.
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 60 * SECOND,
          hookTimeout: 60 * SECOND,
        },
      },
      {
        extends: true,
        test: {
          // Inside a booted guest, by scripts/test vm: one processor and slow system calls.
          name: 'vm',
          include: ['integration/vm/**/*.test.ts'],
          environment: 'node',
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 180 * SECOND,
          hookTimeout: 180 * SECOND,
        },
      },
      {
        extends: true,
        test: {
          // On the host, one guest at a time.
          name: 'vm-host',
          include: ['integration/vm-host/**/*.test.ts'],
          environment: 'node',
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 300 * SECOND,
          hookTimeout: 300 * SECOND,
        },
      },
    ],
  },
});
