import adapter from '@sveltejs/adapter-node'
import { sveltekit } from '@sveltejs/kit/vite'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [sveltekit({ adapter: adapter({ out: '.cache/build' }), outDir: '.cache/svelte-kit' })],
  // In this repository the packages are used from their sources; installed from npm they need no such line.
  ssr: { noExternal: [/^@ipguard\//], resolve: { conditions: ['@ipguard/source'] } },
})
