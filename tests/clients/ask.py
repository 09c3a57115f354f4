"""Ask questions with the openai package, whichever release runs this file; print what the caller saw.

stdin: a JSON list of {"name", "base_url", "stream", "timeout_s", "body"}; stdout: a JSON object
name -> {"error": exception class or null, "status", "text": what was delivered, "finish_reason"}.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from openai import OpenAI


def ask(question):
    """One question, asked with the package's defaults but for the time-out."""
    client = OpenAI(base_url=question["base_url"], api_key="sk-any", timeout=question.get("timeout_s", 30))
    seen = {"error": None, "status": None, "text": "", "finish_reason": None}
    body = {
        "model": "gpt-5.1-chat",
        "messages": [{"role": "user", "content": "hi"}],
        **question.get("body", {}),
    }
    try:
        answer = client.chat.completions.create(stream=question["stream"], **body)
        if question["stream"]:
            for chunk in answer:
                for choice in chunk.choices:
                    seen["text"] += choice.delta.content or ""
                    seen["finish_reason"] = choice.finish_reason or seen["finish_reason"]
        elif answer.choices:
            seen["text"] = answer.choices[0].message.content
            seen["finish_reason"] = answer.choices[0].finish_reason
    except Exception as error:
        seen["error"] = type(error).__name__
        seen["status"] = getattr(error, "status_code", None)
    return question["name"], seen


with ThreadPoolExecutor(16) as pool:
    print(json.dumps(dict(pool.map(ask, json.load(sys.stdin)))))
