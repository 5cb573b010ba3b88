// The page of a job: asks every second how far it is, until it has ended. A server that is away is asked again.
const EVERY_MS = 1000;
const page = document.querySelector("[data-job]");

function show(job) {
  for (const place of page.querySelectorAll("[data-tell]")) place.textContent = job[place.dataset.tell];
  page.querySelector("progress").value = job.progress;
  page.querySelector("[data-cancel]").hidden = job.has_ended || job.is_cancelling;
}

async function look() {
  let job = null;
  try {
    const reply = await fetch(page.dataset.job, { headers: { Accept: "application/json" } });
    if (reply.ok) job = await reply.json();
    else if (reply.status !== 503) { location.reload(); return; }
  } catch {
    job = null; // the server is being started again
  }
  page.querySelector("[data-lost]").hidden = job !== null;
  if (job !== null) show(job);
  if (job === null || !job.has_ended) setTimeout(look, EVERY_MS);
}

if (page.dataset.ended !== "true") setTimeout(look, EVERY_MS);
