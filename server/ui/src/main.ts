// Starts the UI: styles, the connection for live updates, and the frame.
import './app.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { live } from './lib/live.svelte';

live.start();
const target = document.getElementById('app');
if (!target) throw new Error('index.html has no element #app');
export default mount(App, { target });
