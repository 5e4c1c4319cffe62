"""What `.streamlit/config.toml` sets holds in the server."""

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_cache import populate_hash_if_needed


def test_no_message_relies_on_a_browsers_memory() -> None:
    """However long a message is, it is sent whole each time: a browser may have forgotten it."""
    message = ForwardMsg()
    message.delta.new_element.markdown.body = "7" * 10_000_000
    populate_hash_if_needed(message)
    assert message.hash
    assert not message.metadata.cacheable


def test_a_rerun_does_not_look_through_all_objects_for_garbage() -> None:
    """A full search at each rerun took half of its time; Python looks when there is enough."""
    assert st.get_option("runner.postScriptGC") is False
