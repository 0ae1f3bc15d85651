"""The plain page: one slider, one small bar chart, nothing loaded. What Streamlit and Plotly cost by themselves."""

import plotly.graph_objects as go
import streamlit as st

value = st.slider("Temperature", 0.0, 2.0, 1.0, 0.05)
heights = [value, 1.0, 2.0 - value]
figure = go.Figure(go.Bar(x=heights, y=["a", "b", "c"], orientation="h", text=[f"{h:.2f}" for h in heights]))
st.plotly_chart(figure)
