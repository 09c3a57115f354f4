// Ask questions with the openai package for Node; print what the caller saw. Same input and output as ask.py.
import OpenAI from "openai";

async function ask(question) {
  const client = new OpenAI({
    baseURL: question.base_url,
    apiKey: "sk-any",
    timeout: (question.timeout_s ?? 30) * 1000,
  });
  const seen = { error: null, status: null, text: "", finish_reason: null };
  const body = { model: "gpt-5.1-chat", messages: [{ role: "user", content: "hi" }], ...question.body };
  try {
    const answer = await client.chat.completions.create({ ...body, stream: question.stream });
    if (question.stream) {
      // the package's time-out ends with the headers: a silent stream is waited for without end, unless somebody aborts
      setTimeout(() => answer.controller.abort("silent"), 4 * client.timeout).unref();
      for await (const chunk of answer) {
        for (const choice of chunk.choices) {
          seen.text += choice.delta.content ?? "";
          seen.finish_reason = choice.finish_reason ?? seen.finish_reason;
        }
      }
      if (answer.controller.signal.aborted) seen.error = "waits without end";
    } else if (answer.choices.length > 0) {
      seen.text = answer.choices[0].message.content;
      seen.finish_reason = answer.choices[0].finish_reason;
    }
  } catch (error) {
    seen.error = error.constructor.name;
    seen.status = error.status ?? null;
  }
  return [question.name, seen];
}

let input = "";
for await (const piece of process.stdin) input += piece;
const seen = await Promise.all(JSON.parse(input).map(ask));
process.stdout.write(JSON.stringify(Object.fromEntries(seen)));
