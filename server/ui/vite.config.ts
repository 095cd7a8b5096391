// How the UI is built: static files under /ui/, embedded by the server. In development the API is the fixture server.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const api = process.env.SCHED_ADDR ?? 'http://127.0.0.1:4680';

export default defineConfig({
  base: '/ui/',
  plugins: [svelte()],
  build: { target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  server: { proxy: { '/v1': { target: api, changeOrigin: true } } },
});
