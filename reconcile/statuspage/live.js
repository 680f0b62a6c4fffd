'use strict';
const live = document.getElementById('live');
const { seen, target } = document.body.dataset;
const source = new EventSource('events?since=' + seen + (target ? '&target=' + encodeURIComponent(target) : ''));
const say = (text, on) => { live.textContent = text; live.classList.toggle('on', on); };
say('connecting', false);
source.addEventListener('open', () => say('live', true));
source.addEventListener('error', () => say('not connected, trying again', false));

// The healths of all targets in the list, the worst first.
const order = ['Failed', 'Unknown', 'Drifted', 'Progressing', 'Removing', 'Not installed', 'Ready'];
const summarize = () => {
  const summary = document.getElementById('summary');
  if (!summary) return;
  const all = [...document.querySelectorAll('[data-state]')].map((row) => row.dataset.health);
  const text = order.map((health) => [all.filter((one) => one === health).length, health])
    .filter(([n]) => n > 0).map(([n, health]) => n + ' ' + health).join(' · ');
  if (summary.textContent !== text) summary.textContent = text;
};

// How a target is now takes the place of how it was; what was opened stays so,
// and so does the focus.
source.addEventListener('section', (event) => {
  const { id, html } = JSON.parse(event.data);
  const old = document.querySelector(`[data-state="${id}"]`);
  if (!old) return;
  const made = document.createElement('template');
  made.innerHTML = html; // made by the server from a template, which escapes
  const next = made.content.firstElementChild;
  for (const opened of old.querySelectorAll('details[open]')) {
    const again = [...next.querySelectorAll('details')].find((one) => one.id === opened.id);
    if (again) again.open = true;
  }
  const focusable = 'a, summary, [tabindex]';
  const at = [...old.querySelectorAll(focusable)].indexOf(document.activeElement);
  old.replaceWith(next);
  if (at >= 0) next.querySelectorAll(focusable)[at]?.focus({ preventScroll: true });
  summarize();
});

source.addEventListener('reload', () => location.reload());

// What happens is put above what happened before, and in its place if it is the
// same again.
source.addEventListener('note', (event) => {
  const note = JSON.parse(event.data);
  const list = document.getElementById('notes');
  if (!list || list.querySelector(`[data-number="${note.number}"]`)) return;
  const line = document.createElement('li');
  line.className = note.mark;
  line.dataset.number = note.number;
  const parts = [['time', note.stamp], ['b', note.layer], ['i', note.type], ['span', note.text]];
  if (document.getElementById('summary')) parts.splice(1, 0, ['em', note.target]);
  for (const [tag, text] of parts) {
    const part = document.createElement(tag);
    part.textContent = text;
    line.append(part, ' ');
  }
  const words = (li) => [...li.children].slice(1).map((part) => part.textContent).join(' ');
  const first = list.firstElementChild;
  if (first && words(first) === words(line)) first.remove();
  list.prepend(line);
  while (list.children.length > 40) list.lastElementChild.remove();
});
