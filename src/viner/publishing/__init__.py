"""From a trained model to something that others use: a Space, a page of the Hub, a container, a static web page."""
