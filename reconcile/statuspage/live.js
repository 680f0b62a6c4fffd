'use strict';
const live = document.getElementById('live');
const source = new EventSource('events?since=' + document.body.dataset.seen);
const say = (text, on) => { live.textContent = text; live.classList.toggle('on', on); };
say('connecting', false);
source.addEventListener('open', () => say('live', true));
source.addEventListener('error', () => say('not connected, trying again', false));

// How a target is now takes the place of how it was.
source.addEventListener('section', (event) => {
  const { id, html } = JSON.parse(event.data);
  const old = document.querySelector(`[data-state="${id}"]`);
  const made = document.createElement('template');
  made.innerHTML = html; // made by the server from a template, which escapes
  const next = made.content.firstElementChild;
  old.replaceWith(next);
  const chip = document.querySelector(`small[data-health="${id}"]`);
  chip.textContent = next.dataset.health;
  chip.parentElement.className = 'chip ' + next.dataset.health;
});

// What happens is put above what happened before.
source.addEventListener('note', (event) => {
  const note = JSON.parse(event.data);
  const list = document.getElementById(note.id + '-notes');
  if (!list || list.querySelector(`[data-number="${note.number}"]`)) return;
  const line = document.createElement('li');
  line.className = note.mark;
  line.dataset.number = note.number;
  for (const [tag, text] of [['time', note.stamp], ['b', note.layer], ['i', note.type], ['span', note.text]]) {
    const part = document.createElement(tag);
    part.textContent = text;
    line.append(part, ' ');
  }
  list.prepend(line);
  while (list.children.length > 40) list.lastElementChild.remove();
});
